#include "controlplane/radius/login/radius_authenticator.h"

#include <spdlog/spdlog.h>

#include <asio/post.hpp>
#include <memory>

#include "controlplane/logging/printable.h"
#include "controlplane/radius/login/access_reply.h"
#include "controlplane/shard/home_loop.h"

namespace culvert::radius {

void RadiusAuthenticator::Authenticate(AuthRequest request, AuthDone done) {
  Request packet = MakeAccessRequest(request, settings_);
  // The answer is read with what was asked, but nobody needs the password any more.
  if (auto* pap = std::get_if<PapExchange>(&request.exchange)) {
    pap->password.Wipe();
  }
  auto asked = std::make_shared<const AuthRequest>(std::move(request));
  asio::io_context* const home = HomeLoop::OfThisThread();
  sender_->Send(Service::kAuthentication, std::move(packet),
                [this, home, asked, done = std::move(done)](Answer answer) {
                  asio::post(*home, [this, asked, done, answer = std::move(answer)] {
                    Finish(answer, *asked, done);
                  });
                });
}

void RadiusAuthenticator::Finish(const Answer& answer, const AuthRequest& request,
                                 const AuthDone& done) {
  AuthResult result = ReadAnswer(answer, request);
  if (result.verdict == AuthVerdict::kReject && answer.outcome != Outcome::kAnswered) {
    if (std::optional<uint64_t> left_out = log_limit_.Admit()) {
      spdlog::error("radius: user={} was not judged: {} ({} more since the last such line)",
                    Printable(request.user), result.reject_reason, *left_out);
    }
  }
  done(std::move(result));
}

}  // namespace culvert::radius
