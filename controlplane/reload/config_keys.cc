#include "controlplane/reload/config_keys.h"

#include <absl/strings/str_cat.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <memory>

namespace culvert {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Only gives a message with one field of `message`.
std::unique_ptr<Message> Only(const Message& message, const FieldDescriptor* field) {
  std::unique_ptr<Message> all(message.New());
  all->CopyFrom(message);
  std::unique_ptr<Message> one(message.New());
  message.GetReflection()->SwapFields(all.get(), one.get(), {field});
  return one;
}

void Compare(const Message& before, const Message& after, const std::string& prefix,
             std::vector<std::string>* keys);

void CompareItems(const Message& before, const Message& after, const FieldDescriptor* field,
                  const std::string& key, std::vector<std::string>* keys) {
  const Reflection* reflection = before.GetReflection();
  const int num_before = reflection->FieldSize(before, field);
  const int num_after = reflection->FieldSize(after, field);
  for (int i = 0; i < std::max(num_before, num_after); ++i) {
    const std::string item = absl::StrCat(key, "[", i, "]");
    if (i < std::min(num_before, num_after)) {
      Compare(reflection->GetRepeatedMessage(before, field, i),
              reflection->GetRepeatedMessage(after, field, i), item, keys);
    } else {
      keys->push_back(item);
    }
  }
}

void Compare(const Message& before, const Message& after, const std::string& prefix,
             std::vector<std::string>* keys) {
  for (int i = 0; i < before.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = before.GetDescriptor()->field(i);
    const std::string key =
        prefix.empty() ? std::string(field->name()) : absl::StrCat(prefix, ".", field->name());
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      if (Only(before, field)->SerializeAsString() != Only(after, field)->SerializeAsString()) {
        keys->push_back(key);
      }
    } else if (field->is_repeated()) {
      CompareItems(before, after, field, key, keys);
    } else {
      Compare(before.GetReflection()->GetMessage(before, field),
              after.GetReflection()->GetMessage(after, field), key, keys);
    }
  }
}

bool Copy(std::string_view path, const Message& from, Message* to) {
  const size_t dot = path.find('.');
  const FieldDescriptor* field =
      from.GetDescriptor()->FindFieldByName(std::string(path.substr(0, dot)));
  if (field == nullptr) {
    return false;
  }
  if (dot == std::string_view::npos) {
    from.GetReflection()->SwapFields(to, Only(from, field).get(), {field});
    return true;
  }
  return field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !field->is_repeated() &&
         Copy(path.substr(dot + 1), from.GetReflection()->GetMessage(from, field),
              to->GetReflection()->MutableMessage(to, field));
}

}  // namespace

std::vector<std::string> ChangedKeys(const config::v1::Config& before,
                                     const config::v1::Config& after) {
  std::vector<std::string> keys;
  Compare(before, after, "", &keys);
  return keys;
}

bool CoversKey(std::string_view path, std::string_view key) {
  return key.starts_with(path) &&
         (key.size() == path.size() || key[path.size()] == '.' || key[path.size()] == '[');
}

bool CopyKey(std::string_view path, const config::v1::Config& from, config::v1::Config* to) {
  return Copy(path, from, to);
}

}  // namespace culvert
