#include "tools/load/conformance/cases/change_password.h"

namespace culvert::load::conformance {

Result ChangeAndLogIn(Session& s, AuthMethod method, const std::string& user) {
  s.ppp.method = method;
  s.ppp.user = user;
  s.ppp.password = s.target().expired_password;
  s.ppp.new_password = s.target().new_password;
  const bool passed = s.Authenticate();
  if (!s.ppp.changed_password) {
    return passed ? Result{Verdict::kSkipped, "the password of " + user + " has not expired"}
                  : Violates(s.problem());
  }
  if (!passed || !s.ppp.proof_ok) {
    return Violates(passed ? "Success without the right proof (S=)" : s.problem());
  }
  Session again(&s.target(), &s.survey());
  again.ppp.method = method;
  again.ppp.user = user;
  again.ppp.password = s.target().new_password;
  if (!again.Up()) {
    return Violates("changed, but with the new password: " + again.problem());
  }
  return Fine("E=648, changed; the new password logs in");
}

}  // namespace culvert::load::conformance
