#include "yaml_tree.hpp"

#include <gtest/gtest.h>

namespace rltune::config {
namespace {

std::string refusal_of(const std::string& text) {
  const auto tree = parse_yaml(text);
  return tree ? "" : to_text("f.yaml", {tree.error()});
}

TEST(YamlTree, every_key_and_value_knows_its_line) {
  const auto tree = parse_yaml("a: 1\nb:\n  - x\n  - {c: 'y'}\n");
  ASSERT_TRUE(tree) << tree.error().message;
  ASSERT_EQ(tree->keys, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(tree->key_lines, (std::vector<int>{1, 2}));
  EXPECT_EQ(tree->items[1].items[1].line, 4);
  EXPECT_FALSE(tree->items[0].quoted);
  EXPECT_TRUE(tree->items[1].items[1].items[0].quoted);
}

TEST(YamlTree, aliases_are_refused_so_that_none_can_multiply) {
  EXPECT_EQ(refusal_of("a: &x [1, 2]\nb: [*x, *x, *x]\n"),
            "f.yaml:1: a: anchors and aliases (& and *) are not taken here: write the value out");
}

TEST(YamlTree, duplicate_keys_are_refused) {
  EXPECT_EQ(refusal_of("a: 1\nb: 2\na: 3\n"), "f.yaml:3: 'a' is given twice");
}

TEST(YamlTree, deep_nesting_is_refused_in_either_style) {
  EXPECT_NE(refusal_of(std::string(100000, '[')), "");
  EXPECT_NE(refusal_of(std::string(100000, '{')), "");
  std::string block;
  for (int i = 0; i < 400; ++i) block += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  EXPECT_NE(refusal_of(block).find("nested more than 16 levels deep"), std::string::npos);
}

TEST(YamlTree, tags_documents_binary_and_size_are_refused) {
  EXPECT_NE(refusal_of("a: !!python/object x\n").find("YAML tag"), std::string::npos);
  EXPECT_NE(refusal_of("a: 1\n---\nb: 2\n").find("second YAML document"), std::string::npos);
  EXPECT_NE(refusal_of(std::string("a: \0b", 5)).find("zero byte"), std::string::npos);
  EXPECT_NE(refusal_of(std::string(kYamlBytesMax + 1, ' ')).find("larger than"), std::string::npos);
  EXPECT_NE(refusal_of("").find("empty"), std::string::npos);
  EXPECT_NE(refusal_of("? [a, b]\n: 1\n").find("a key must be a plain word"), std::string::npos);
}

TEST(YamlTree, broken_syntax_names_line_and_column) {
  EXPECT_EQ(refusal_of("a: 1\nb: [1, 2\nc: 3\n").substr(0, 24), "f.yaml:3: b[2]: not YAML");
}

TEST(YamlTree, what_a_person_cannot_read_as_it_is_is_refused_with_its_line) {
  EXPECT_EQ(refusal_of("a: 1\nb: caf\xE9\n").substr(0, 34), "f.yaml:2: holds bytes that are not");
  EXPECT_EQ(refusal_of("a: \xC0\xAF\n").substr(0, 34), "f.yaml:1: holds bytes that are not") << "overlong";
  EXPECT_EQ(refusal_of("a: \xED\xA0\x80\n").substr(0, 34), "f.yaml:1: holds bytes that are not") << "surrogate";
  EXPECT_EQ(refusal_of("a: 1\nb: \x1B[31m\n"), "f.yaml:2: holds a control character: remove it");
  EXPECT_NE(refusal_of("a: \xE2\x80\xAEtxt\n").find("turns the direction of writing"), std::string::npos);
  EXPECT_EQ(refusal_of("a: Gew\xC3\xA4"
                       "chshaus \xF0\x9F\x8C\xB1\n"),
            "");
}

}  // namespace
}  // namespace rltune::config
