// What an answer to an Access-Request means for the client. Any thread.
#pragma once

#include "controlplane/aaa/authentication.h"
#include "controlplane/radius/client/sender.h"

namespace culvert::radius {

// ReadAnswer: `request` is what was asked. When nobody answered, the user counts as unknown, so
// that another backend is asked.
[[nodiscard]] AuthResult ReadAnswer(const Answer& answer, const AuthRequest& request);

// ParseMsChapError reads "E=691 R=1 C=... V=3 M=..." (RFC 2433 s5, RFC 2759 s6). nullopt: without
// an E.
[[nodiscard]] std::optional<MsChapFailure> ParseMsChapError(std::string_view text);

}  // namespace culvert::radius
