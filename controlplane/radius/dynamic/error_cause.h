// Error-Cause (RFC 5176 s3.5): why a CoA-Request or Disconnect-Request was refused.
#pragma once

#include <cstdint>
#include <string_view>

namespace culvert::radius {

enum class ErrorCause : uint32_t {
  kUnsupportedAttribute = 401,
  kMissingAttribute = 402,
  kNasMismatch = 403,
  kInvalidRequest = 404,
  kUnsupportedService = 405,
  kInvalidValue = 407,
  kProhibited = 501,
  kSessionNotFound = 503,
  kSessionNotRemovable = 504,
  kResourcesUnavailable = 506,
  kSeveralSessions = 508,
};

// ErrorCauseName is a metric's label and a few words for logs.
[[nodiscard]] std::string_view ErrorCauseName(ErrorCause cause);

}  // namespace culvert::radius
