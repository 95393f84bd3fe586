#include <fmt/format.h>

#include "proto/config/check/check.h"

namespace culvert::config {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

class RequiredCheck {
 public:
  RequiredCheck(Process process, const SourceMap& places, std::vector<Problem>* problems)
      : process_(process), places_(places), problems_(problems) {}

  void Walk(const Message& message, const std::string& prefix) {
    const auto* descriptor = message.GetDescriptor();
    for (int i = 0; i < descriptor->field_count(); ++i) {
      const FieldDescriptor& field = *descriptor->field(i);
      const std::string key = prefix.empty() ? field.name() : prefix + "." + field.name();
      if (!places_.Usable(key)) continue;
      CheckField(message, field, key);
      if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) Descend(message, field, key);
    }
  }

 private:
  void Descend(const Message& message, const FieldDescriptor& field, const std::string& key) {
    const auto* reflection = message.GetReflection();
    if (!field.is_repeated()) {
      Walk(reflection->GetMessage(message, &field), key);
      return;
    }
    for (int i = 0; i < reflection->FieldSize(message, &field); ++i) {
      Walk(reflection->GetRepeatedMessage(message, &field, i), fmt::format("{}[{}]", key, i));
    }
  }

  void CheckField(const Message& message, const FieldDescriptor& field, const std::string& key) {
    if (!field.options().GetExtension(v1::limits).required()) return;
    if (process_ == Process::kControlplane && key == "dataplane.ports") return;
    const auto* reflection = message.GetReflection();
    if (field.is_repeated()) {
      if (reflection->FieldSize(message, &field) > 0) return;
      Add(key, field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE
                   ? fmt::format("at least one is needed: add a table [[{}]]", key)
                   : "at least one item is needed");
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING &&
               reflection->GetString(message, &field).empty()) {
      Add(key, "is missing and has no default");
    }
  }

  void Add(const std::string& key, std::string text) {
    Place place = places_.Find(key);
    // The user's file is where it has to be added, whatever the defaults say.
    if (!place.from_user) place = Place{places_.file, 0, false, false};
    problems_->push_back(Problem{place.file, place.line, key, std::move(text)});
  }

  const Process process_;
  const SourceMap& places_;
  std::vector<Problem>* const problems_;
};

}  // namespace

void CheckRequired(const v1::Config& config, Process process, const SourceMap& places,
                   std::vector<Problem>* problems) {
  RequiredCheck(process, places, problems).Walk(config, "");
}

}  // namespace culvert::config
