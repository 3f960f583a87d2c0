#include "yaml_tree.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cstdint>
#include <format>
#include <optional>
#include <sstream>
#include <unordered_set>

#include "rltune/base/utf8.hpp"
#include "words.hpp"

namespace rltune::config {
namespace {

struct Refused {
  int line;
  std::string what;
};

// Builds the tree bottom-up from the parser's events: yaml-cpp's own nodes know no line for a key, resolve
// aliases and look keys up one by one.
class TreeBuilder final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    take(YamlNode{.line = mark.line + 1});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse_anchor(mark, 1); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    if (tag != "?" && tag != "!") refuse_tag(mark, tag);
    take(YamlNode{.kind = YamlNode::Kind::scalar, .line = mark.line + 1, .quoted = tag == "!", .scalar = value});
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlNode::Kind::sequence);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlNode::Kind::map);
  }
  void OnMapEnd() override { close(); }

  // The path of the field that is being read: "tags[3].role".
  std::string where() const {
    std::string path;
    for (const Level& level : levels_) {
      if (level.node.kind == YamlNode::Kind::sequence)
        path += std::format("[{}]", level.node.items.size());
      else if (level.has_key)
        path += (path.empty() ? "" : ".") + shown(level.node.keys.back());
    }
    return path;
  }

  YamlNode root;

 private:
  struct Level {
    YamlNode node;
    bool has_key = false;
    std::unordered_set<std::string> seen;
  };

  static void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0)
      throw Refused{mark.line + 1, "anchors and aliases (& and *) are not taken here: write the value out"};
  }
  static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    throw Refused{mark.line + 1, std::format("the YAML tag '{}' is not taken here: remove it", shown(tag))};
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YamlNode::Kind kind) {
    refuse_anchor(mark, anchor);
    if (!tag.empty() && tag != "?" && tag != "!") refuse_tag(mark, tag);
    if (levels_.size() >= kYamlDepthMax)
      throw Refused{mark.line + 1, std::format("nested more than {} levels deep", kYamlDepthMax)};
    if (!levels_.empty() && expects_key()) throw Refused{mark.line + 1, "a key must be a plain word"};
    levels_.push_back(Level{YamlNode{.kind = kind, .line = mark.line + 1}, false, {}});
  }

  void close() {
    YamlNode done = std::move(levels_.back().node);
    levels_.pop_back();
    take(std::move(done));
  }

  bool expects_key() const { return levels_.back().node.kind == YamlNode::Kind::map && !levels_.back().has_key; }

  void take(YamlNode node) {
    if (levels_.empty()) {
      root = std::move(node);
      return;
    }
    Level& level = levels_.back();
    if (expects_key()) return take_key(level, node);
    level.node.items.push_back(std::move(node));
    level.has_key = false;
  }

  static void take_key(Level& level, YamlNode& key) {
    if (key.kind != YamlNode::Kind::scalar) throw Refused{key.line, "a key must be a plain word"};
    if (!level.seen.insert(key.scalar).second)
      throw Refused{key.line, std::format("'{}' is given twice", shown(key.scalar))};
    level.node.keys.push_back(std::move(key.scalar));
    level.node.key_lines.push_back(key.line);
    level.has_key = true;
  }

  std::vector<Level> levels_;
};

std::unexpected<Fault> refuse(int line, std::string field, std::string what) {
  return std::unexpected(Fault{line, std::move(field), std::move(what)});
}

int line_at(std::string_view text, std::size_t offset) {
  return 1 + static_cast<int>(std::ranges::count(text.substr(0, offset), '\n'));
}

const char* forbidden(std::uint32_t character) {
  if (character == 0) return "holds a zero byte: this is not a text file";
  if (character == '\t' || character == '\n' || character == '\r') return nullptr;
  if (character < 0x20 || (character >= 0x7F && character < 0xA0)) return "holds a control character: remove it";
  const bool turns = (character >= 0x202A && character <= 0x202E) || (character >= 0x2066 && character <= 0x2069);
  return turns ? "holds a character that turns the direction of writing, so that it reads otherwise than it is"
               : nullptr;
}

std::optional<Fault> unreadable(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    std::uint32_t character = 0;
    const std::size_t length = utf8_length(text.substr(at), character);
    if (length == 0) return Fault{line_at(text, at), "", "holds bytes that are not UTF-8: save the file as UTF-8"};
    if (const char* what = forbidden(character)) return Fault{line_at(text, at), "", what};
    at += length;
  }
  return std::nullopt;
}

}  // namespace

std::expected<YamlNode, Fault> parse_yaml(const std::string& text) {
  if (text.size() > kYamlBytesMax)
    return refuse(1, "",
                  std::format("larger than {} KiB: this is not a file that a person wrote", kYamlBytesMax / 1024));
  if (auto fault = unreadable(text)) return std::unexpected(std::move(*fault));
  TreeBuilder builder;
  try {
    std::istringstream in(text);
    YAML::Parser parser(in);
    if (!parser.HandleNextDocument(builder)) return refuse(1, "", "the file is empty");
    TreeBuilder second;
    if (parser.HandleNextDocument(second)) return refuse(second.root.line, "", "a second YAML document starts here");
    return std::move(builder.root);
  } catch (const Refused& refused) {
    return refuse(refused.line, builder.where(), refused.what);
  } catch (const YAML::Exception& error) {
    return refuse(error.mark.line + 1, builder.where(),
                  std::format("not YAML: {} (column {})", error.msg, error.mark.column + 1));
  }
}

}  // namespace rltune::config
