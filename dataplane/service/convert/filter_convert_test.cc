#include "dataplane/service/convert/filter_convert.h"

#include <gtest/gtest.h>

#include "dataplane/filter/filter.h"

namespace culvert::dataplane {
namespace {

v1::Filter Full() {
  v1::Filter filter;
  filter.set_id(7);
  filter.set_permit_downstream(true);
  v1::FilterRule* rule = filter.add_rules();
  rule->set_permit(true);
  rule->set_upstream(true);
  rule->set_protocol(6);
  rule->mutable_source()->set_address("\xc0\x00\x02\x00", 4);
  rule->mutable_source()->set_length(24);
  rule->mutable_destination()->set_address(std::string(4, '\0'));
  rule->mutable_source_ports()->set_first(1024);
  rule->mutable_source_ports()->set_last(65535);
  rule->mutable_destination_ports()->set_first(80);
  rule->mutable_destination_ports()->set_last(80);
  rule->set_tcp_flags_mask(0x12);
  rule->set_tcp_flags(0x02);
  return filter;
}

TEST(FilterConvert, TakesAllFields) {
  const auto spec = ToFilterSpec(Full());
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->id, 7U);
  EXPECT_TRUE(!spec->permit_upstream && spec->permit_downstream);
  ASSERT_EQ(spec->rules.size(), 1U);
  const FilterRuleSpec& rule = spec->rules[0];
  EXPECT_TRUE(rule.permit && rule.upstream && rule.protocol == 6);
  ASSERT_TRUE(rule.source && rule.destination && rule.source_ports && rule.destination_ports);
  EXPECT_TRUE(rule.source->len == 24 && rule.source->address[0] == 192);
  EXPECT_TRUE(rule.destination->len == 0 && !rule.destination->is_ipv6);
  EXPECT_TRUE(rule.source_ports->first == 1024 && rule.source_ports->last == 65535);
  EXPECT_EQ(rule.destination_ports->first, 80);
  EXPECT_TRUE(rule.tcp_flags_mask == 0x12 && rule.tcp_flags == 2);
  EXPECT_TRUE(Filter::Check(*spec).ok());
}

TEST(FilterConvert, NamesTheWrongField) {
  const auto expect = [](const char* field, auto change) {
    v1::Filter filter = Full();
    change(&filter, filter.mutable_rules(0));
    auto spec = ToFilterSpec(filter);
    const absl::Status status = spec.ok() ? Filter::Check(*spec) : spec.status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << field;
    EXPECT_EQ(status.message().substr(0, std::string(field).size()), field);
  };
  expect("id: 0", [](auto* f, auto*) { f->set_id(0); });
  expect("id: 1024", [](auto* f, auto*) { f->set_id(1024); });
  expect("rules: 4097", [](auto* f, auto* r) {
    const v1::FilterRule rule = *r;
    while (f->rules_size() < 4097) *f->add_rules() = rule;
  });
  expect("rules[0].protocol: 256", [](auto*, auto* r) { r->set_protocol(256); });
  expect("rules[0].source.address: 3",
         [](auto*, auto* r) { r->mutable_source()->set_address("abc"); });
  expect("rules[0].source.address: bits",
         [](auto*, auto* r) { r->mutable_source()->set_length(22); });
  expect("rules[0].destination.length: 33",
         [](auto*, auto* r) { r->mutable_destination()->set_length(33); });
  expect("rules[0].destination: must be of the family",
         [](auto*, auto* r) { r->mutable_destination()->set_address(std::string(16, '\0')); });
  expect("rules[0].source_ports.last: 65536",
         [](auto*, auto* r) { r->mutable_source_ports()->set_last(65536); });
  expect("rules[0].source_ports: last is before first",
         [](auto*, auto* r) { r->mutable_source_ports()->set_last(1); });
  expect("rules[0].destination_ports: last is before first",
         [](auto*, auto* r) { r->mutable_destination_ports()->set_last(1); });
  expect("rules[0].tcp_flags_mask: 256", [](auto*, auto* r) { r->set_tcp_flags_mask(256); });
  expect("rules[0].tcp_flags: must", [](auto*, auto* r) { r->set_tcp_flags(1); });
  expect("rules[0].tcp_flags_mask: protocol", [](auto*, auto* r) { r->set_protocol(17); });
  expect("rules[0].source_ports: protocol", [](auto*, auto* r) {
    r->set_protocol(1);
    r->set_tcp_flags_mask(0);
    r->set_tcp_flags(0);
  });
}

}  // namespace
}  // namespace culvert::dataplane
