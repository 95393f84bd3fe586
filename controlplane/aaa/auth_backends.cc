#include "controlplane/aaa/auth_backends.h"

namespace culvert {

AuthBackends::AuthBackends(std::vector<Authenticator*> backends) : backends_(std::move(backends)) {}

void AuthBackends::Authenticate(AuthRequest request, AuthDone done) {
  if (request.state.empty()) {
    return Ask(0, std::move(request), std::move(done));
  }
  // The first octet of the state is ours: who had given it.
  const size_t index = request.state.front();
  if (index >= backends_.size()) {
    AuthResult result;
    result.reject_reason = "an exchange that nobody had begun";
    return done(std::move(result));
  }
  request.state.erase(request.state.begin());
  AskOne(index, std::move(request), std::move(done));
}

void AuthBackends::Ask(size_t index, AuthRequest request, AuthDone done) {
  if (index + 1 == backends_.size()) {
    return AskOne(index, std::move(request), std::move(done));
  }
  auto again = std::make_shared<AuthRequest>(request.Clone());
  AskOne(index, std::move(request),
         [this, index, again, done = std::move(done)](AuthResult result) mutable {
           if (result.verdict == AuthVerdict::kReject && result.unknown_user) {
             return Ask(index + 1, std::move(*again), std::move(done));
           }
           done(std::move(result));
         });
}

void AuthBackends::AskOne(size_t index, AuthRequest request, AuthDone done) {
  backends_[index]->Authenticate(
      std::move(request), [index, done = std::move(done)](AuthResult result) {
        if (result.verdict == AuthVerdict::kChallenge) {
          result.state.insert(result.state.begin(), static_cast<uint8_t>(index));
        }
        done(std::move(result));
      });
}

}  // namespace culvert
