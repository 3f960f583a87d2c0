#include "rltune/plant/opcua_browse.hpp"

#include "opcua_fixture.hpp"

namespace rltune::plant {
namespace {

class OpcuaBrowseTest : public OpcuaFixture {
 protected:
  BrowsedVariable find(const std::vector<BrowsedVariable>& all, const std::string& name) {
    const auto at = std::ranges::find(all, name, &BrowsedVariable::name);
    return at == all.end() ? BrowsedVariable{} : *at;
  }
};

TEST_F(OpcuaBrowseTest, lists_variables_with_what_a_site_needs) {
  serve();
  const auto found = browse(options_);
  ASSERT_TRUE(found) << found.error().message;
  const auto temperature = find(*found, "Temperature");
  EXPECT_EQ(temperature.node, node("Temperature"));
  EXPECT_EQ(temperature.path, "Temperature");
  EXPECT_EQ(temperature.data_type, "Double");
  EXPECT_EQ(temperature.unit, "°C");
  EXPECT_EQ(temperature.low, -20.0);
  EXPECT_EQ(temperature.high, 60.0);
  EXPECT_EQ(temperature.value, 20.0);
  EXPECT_EQ(temperature.description, "A node of the test server");
  EXPECT_TRUE(temperature.readable && temperature.writable && temperature.has_history && temperature.is_number);
  EXPECT_FALSE(find(*found, "ReadOnly").writable);
  EXPECT_FALSE(find(*found, "String").is_number);
  EXPECT_TRUE(find(*found, "Mode").is_number);
  EXPECT_EQ(find(*found, "Forecast").elements, 4u);
  EXPECT_EQ(find(*found, "EURange").node, "");      // properties describe tags and are none
  EXPECT_EQ(find(*found, "CurrentTime").node, "");  // nor is the server's own state
}

TEST_F(OpcuaBrowseTest, what_it_lists_can_be_opened) {
  serve();
  const auto found = browse(options_);
  ASSERT_TRUE(found);
  std::vector<TagBinding> tags;
  for (const auto& variable : *found)
    if (variable.is_number && variable.readable)
      tags.push_back(
          {.name = variable.name, .node = variable.node, .unit = variable.unit, .elements = variable.elements});
  EXPECT_GE(tags.size(), 40u);
  OpcuaLink link(options_);
  const auto opened = link.open(tags);
  EXPECT_TRUE(opened) << opened.error().message;
}

TEST_F(OpcuaBrowseTest, keeps_the_servers_limits) {
  serve();
  const auto all = browse(options_);
  server_.reset();
  server_options_.operation_limit = 10;
  serve();
  const auto limited = browse(options_);
  ASSERT_TRUE(all && limited) << limited.error().message;
  EXPECT_EQ(all->size(), limited->size());
}

TEST_F(OpcuaBrowseTest, starts_where_it_is_told_and_is_as_strict_as_a_link) {
  serve();
  const auto server = browse(options_, {.root = "i=2253", .with_server_object = true});
  ASSERT_TRUE(server) << server.error().message;
  EXPECT_NE(find(*server, "CurrentTime").node, "");
  options_.server_application_uri = "urn:other";
  EXPECT_EQ(browse(options_).error().code, Errc::denied);
}

}  // namespace
}  // namespace rltune::plant
