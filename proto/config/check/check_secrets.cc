#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <string>

#include "proto/config/check/check.h"

namespace culvert::config {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// FindSecrets walks through all that is set; `key` names `message`, "" the whole.
void FindSecrets(const Message& message, const std::string& key, std::vector<std::string>* found) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const std::string name = key.empty() ? field->name() : key + "." + field->name();
    if (field->options().GetExtension(v1::limits).secret()) {
      found->push_back(name);
    }
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      continue;
    }
    if (!field->is_repeated()) {
      FindSecrets(message.GetReflection()->GetMessage(message, field), name, found);
      continue;
    }
    for (int i = 0; i < message.GetReflection()->FieldSize(message, field); ++i) {
      FindSecrets(message.GetReflection()->GetRepeatedMessage(message, field, i),
                  fmt::format("{}[{}]", name, i), found);
    }
  }
}

}  // namespace

void CheckSecrets(const v1::Config& config, uint32_t mode, const SourceMap& places,
                  std::vector<Problem>* problems) {
  constexpr uint32_t kOthers = 077;
  if ((mode & kOthers) == 0) return;
  std::vector<std::string> secrets;
  FindSecrets(config, "", &secrets);
  for (const std::string& key : secrets) {
    problems->push_back(places.At(
        {key}, fmt::format("stands in a file whose mode {:04o} lets others in: run chmod 600 {}, "
                           "or name a file of its own in secret_file",
                           mode & 07777, places.file)));
  }
}

}  // namespace culvert::config
