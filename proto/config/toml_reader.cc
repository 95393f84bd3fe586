#include "proto/config/toml_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "proto/config/value.h"

namespace culvert::config {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
  }
  return row[b.size()];
}

// UnknownKey suggests the nearest key when one is near, else lists all that there are.
std::string UnknownKey(std::string_view key, const Descriptor& descriptor) {
  std::vector<std::string> known;
  std::string nearest;
  size_t best = std::max<size_t>(2, key.size() / 3) + 1;
  for (int i = 0; i < descriptor.field_count(); ++i) {
    known.push_back(descriptor.field(i)->name());
    // "restart_timer" is near "restart_timer_ms": a prefix counts as one edit.
    const bool prefix = key.size() >= 3 && known.back().compare(0, key.size(), key) == 0;
    const size_t distance = prefix ? 1 : EditDistance(key, known.back());
    if (distance < best) {
      best = distance;
      nearest = known.back();
    }
  }
  if (!nearest.empty()) return fmt::format("unknown key; did you mean \"{}\"?", nearest);
  return fmt::format("unknown key; known here: {}", fmt::join(known, ", "));
}

const char* TypeText(toml::node_type type) {
  switch (type) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "a boolean";
    default:
      return "a date or time";
  }
}

const char* WantedText(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return "a table";
    case FieldDescriptor::CPPTYPE_STRING:
      return "a string";
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true or false";
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return "a number";
    default:
      return "an integer";
  }
}

class Reader {
 public:
  Reader(std::string file, bool from_user, SourceMap* places, std::vector<Problem>* problems)
      : file_(std::move(file)), from_user_(from_user), places_(places), problems_(problems) {}

  void ReadTable(const toml::table& table, const std::string& prefix, Message* message) {
    for (auto&& [name, node] : table) {
      const std::string key =
          prefix.empty() ? std::string(name.str()) : fmt::format("{}.{}", prefix, name.str());
      const int line = static_cast<int>(name.source().begin.line);
      const FieldDescriptor* field =
          message->GetDescriptor()->FindFieldByName(std::string(name.str()));
      if (field == nullptr) {
        Add(line, key, UnknownKey(name.str(), *message->GetDescriptor()));
        continue;
      }
      places_->Set(key, Place{file_, line, from_user_, false});
      if (field->is_repeated()) {
        ReadArray(node, key, *field, message);
      } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        ReadMessage(node, key, *field, message->GetReflection()->MutableMessage(message, field));
      } else {
        ReadScalar(node, key, *field, message);
      }
    }
  }

 private:
  void Add(int line, const std::string& key, std::string text) {
    problems_->push_back(Problem{file_, line, key, std::move(text)});
  }
  // Refuse reports a value that other checks must then leave alone.
  void Refuse(const toml::node& node, const std::string& key, std::string text) {
    Add(static_cast<int>(node.source().begin.line), key, std::move(text));
    places_->MarkBad(key);
  }
  void RefuseType(const toml::node& node, const std::string& key, const std::string& wanted) {
    Refuse(node, key, fmt::format("must be {}, found {}", wanted, TypeText(node.type())));
  }

  void ReadMessage(const toml::node& node, const std::string& key, const FieldDescriptor& field,
                   Message* message) {
    const toml::table* table = node.as_table();
    if (table == nullptr) {
      RefuseType(node, key, fmt::format("a table, [{}]", key));
      return;
    }
    ReadTable(*table, key, message);
  }

  void ReadArray(const toml::node& node, const std::string& key, const FieldDescriptor& field,
                 Message* message) {
    message->GetReflection()->ClearField(message, &field);
    places_->EraseItems(key);
    const toml::array* array = node.as_array();
    const bool of_tables = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (array == nullptr) {
      RefuseType(node, key,
                 of_tables ? fmt::format("an array of tables, [[{}]]", key)
                           : fmt::format("an array, [...], of {} each", WantedText(field)));
      return;
    }
    const uint32_t max_items = field.options().GetExtension(v1::limits).max_items();
    if (max_items != 0 && array->size() > max_items) {
      Refuse(node, key,
             fmt::format("has {} items; at most {} are allowed", array->size(), max_items));
      return;
    }
    for (size_t i = 0; i < array->size(); ++i) {
      ReadItem(*array->get(i), fmt::format("{}[{}]", key, i), field, message);
    }
  }

  void ReadItem(const toml::node& node, const std::string& key, const FieldDescriptor& field,
                Message* message) {
    const int line = static_cast<int>(node.source().begin.line);
    places_->Set(key, Place{file_, line, from_user_, false});
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      ReadMessage(node, key, field, message->GetReflection()->AddMessage(message, &field));
    } else {
      ReadScalar(node, key, field, message);
    }
  }

  // ReadScalar sets or adds one value. A bad item is added as an empty one, so that the numbers
  // of those behind it stay right.
  void ReadScalar(const toml::node& node, const std::string& key, const FieldDescriptor& field,
                  Message* message) {
    const auto& limits = field.options().GetExtension(v1::limits);
    const auto* reflection = message->GetReflection();
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      std::string value;
      if (const auto* string = node.as_string()) {
        value = string->get();
        if (std::string wrong = CheckItem(value, limits, field.is_repeated()); !wrong.empty()) {
          Refuse(node, key, std::move(wrong));
        }
      } else {
        RefuseType(node, key, WantedText(field));
      }
      if (field.is_repeated()) {
        reflection->AddString(message, &field, value);
      } else {
        reflection->SetString(message, &field, value);
      }
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL && !field.is_repeated()) {
      const auto* boolean = node.as_boolean();
      if (boolean == nullptr) return RefuseType(node, key, WantedText(field));
      reflection->SetBool(message, &field, boolean->get());
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE && !field.is_repeated()) {
      const auto number = node.is_number() ? node.value<double>() : std::nullopt;
      if (!number) return RefuseType(node, key, WantedText(field));
      reflection->SetDouble(message, &field, *number);
    } else {
      const uint32_t value = ReadInteger(node, key, field, limits);
      if (field.is_repeated()) {
        reflection->AddUInt32(message, &field, value);
      } else {
        reflection->SetUInt32(message, &field, value);
      }
    }
  }

  uint32_t ReadInteger(const toml::node& node, const std::string& key, const FieldDescriptor& field,
                       const v1::Limits& limits) {
    const auto* integer = node.as_integer();
    if (integer == nullptr) {
      RefuseType(node, key, WantedText(field));
      return 0;
    }
    if (std::string wrong = CheckInteger(integer->get(), limits); !wrong.empty()) {
      Refuse(node, key, std::move(wrong));
      return 0;
    }
    return static_cast<uint32_t>(integer->get());
  }

  // An item of an array is never "not set".
  static std::string CheckItem(std::string_view value, v1::Limits limits, bool item) {
    if (item) limits.set_required(true);
    return CheckString(value, limits);
  }

  const std::string file_;
  const bool from_user_;
  SourceMap* const places_;
  std::vector<Problem>* const problems_;
};

}  // namespace

void ReadToml(std::string_view text, const std::string& file, bool from_user, Message* message,
              SourceMap* places, std::vector<Problem>* problems) {
  const toml::parse_result result = toml::parse(text, file);
  if (!result) {
    const toml::parse_error& error = result.error();
    problems->push_back(Problem{file, static_cast<int>(error.source().begin.line), "",
                                fmt::format("not TOML: {}", error.description())});
    return;
  }
  Reader(file, from_user, places, problems).ReadTable(result.table(), "", message);
}

}  // namespace culvert::config
