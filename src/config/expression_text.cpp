#include "expression_text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <format>
#include <map>
#include <string_view>

#include "words.hpp"

namespace rltune::config {
namespace {

constexpr std::array<std::string_view, 56> kWords{
    "abs", "acos",    "acosh", "and",   "asin",     "asinh", "atan",  "atan2",  "atanh", "avg",   "ceil", "clamp",
    "cos", "cosh",    "cot",   "csc",   "erf",      "erfc",  "exp",   "expm1",  "false", "floor", "frac", "hypot",
    "if",  "inrange", "log",   "log10", "log1p",    "log2",  "logn",  "max",    "min",   "mod",   "nand", "nor",
    "not", "or",      "pi",    "pow",   "previous", "root",  "round", "sec",    "sgn",   "sin",   "sinh", "sqrt",
    "sum", "tan",     "tanh",  "true",  "trunc",    "xnor",  "xor",   "deg2rad"};

// What people write in other languages, and what they mean.
struct Habit {
  std::string_view text, instead;
};
constexpr std::array kHabits{Habit{"&", "write 'and'"},
                             Habit{"|", "write 'or'"},
                             Habit{":", "write if(condition, a, b)"},
                             Habit{"?", "write if(condition, a, b)"},
                             Habit{"\"", "texts are not taken"},
                             Habit{"'", "texts are not taken"},
                             Habit{";", "one expression only"},
                             Habit{"[", "array elements are not taken"},
                             Habit{"{", "write round brackets"}};

class Scanner {
 public:
  Scanner(const std::string& text, std::span<const std::string> names) : text_(text), names_(names) {
    out_.text = text;
  }

  Result<ExpressionText> run() {
    if (text_.size() > kExpressionBytesMax)
      return at(0, Errc::parse, std::format("longer than {} characters", kExpressionBytesMax));
    if (text_.find_first_not_of(" \t\r\n") == std::string::npos) return at(0, Errc::parse, "the expression is empty");
    while (position_ < text_.size())
      if (auto done = step(); !done) return std::unexpected(done.error());
    if (depth_ > 0) return at(text_.size(), Errc::parse, "a ')' is missing");
    finish(used_, out_.used);
    finish(used_previous_, out_.used_previous);
    return std::move(out_);
  }

 private:
  static std::unexpected<Error> at(std::size_t position, Errc code, const std::string& what) {
    return fail(code, std::format("column {}: {}", position + 1, what));
  }

  static void finish(std::vector<std::size_t>& found, std::vector<std::size_t>& out) {
    std::ranges::sort(found);
    const auto [first, last] = std::ranges::unique(found);
    found.erase(first, last);
    out = std::move(found);
  }

  char peek(std::size_t ahead = 0) const { return position_ + ahead < text_.size() ? text_[position_ + ahead] : '\0'; }

  Result<> step() {
    const auto c = static_cast<unsigned char>(peek());
    if (std::isspace(c) != 0) {
      out_.text[position_++] = ' ';
      return {};
    }
    if (std::isdigit(c) != 0 || (c == '.' && std::isdigit(static_cast<unsigned char>(peek(1))) != 0)) return number();
    if (std::isalpha(c) != 0) return word();
    return symbol(static_cast<char>(c));
  }

  Result<> number() {
    double value = 0.0;
    const char* begin = text_.data() + position_;
    const auto [stopped, code] = std::from_chars(begin, text_.data() + text_.size(), value);
    const auto end = position_ + static_cast<std::size_t>(stopped - begin);
    if (code != std::errc{} || !std::isfinite(value)) return at(position_, Errc::parse, "the number is out of range");
    const auto after = end < text_.size() ? static_cast<unsigned char>(text_[end]) : 0;
    if (std::isalnum(after) != 0 || after == '_' || after == '.')
      return at(end, Errc::parse,
                std::format("'{}' cannot follow a number; write * to multiply", static_cast<char>(after)));
    position_ = end;
    return {};
  }

  std::string_view take_word() {
    const std::size_t start = position_;
    while (std::isalnum(static_cast<unsigned char>(peek())) != 0 || peek() == '_') ++position_;
    return std::string_view(text_).substr(start, position_ - start);
  }

  Result<> word() {
    const std::size_t start = position_;
    const std::string_view name = take_word();
    if (name == "previous") return look_back(start);
    if (is_expression_word(name)) return {};
    return use(start, name, used_);
  }

  Result<> use(std::size_t start, std::string_view name, std::vector<std::size_t>& used) {
    const auto found = std::ranges::find(names_, name);
    if (found != names_.end()) {
      used.push_back(static_cast<std::size_t>(found - names_.begin()));
      return {};
    }
    std::vector<std::string_view> known;
    for (const std::string& candidate : names_)
      if (!candidate.empty()) known.emplace_back(candidate);
    const std::string_view meant = nearest(name, known).empty() ? nearest(name, kWords) : std::string_view();
    const std::string hint = meant.empty() ? suggest(name, known) : std::format("; did you mean '{}'?", meant);
    return at(start, Errc::not_found, std::format("there is no '{}'{}", shown(name), hint));
  }

  void skip_blanks() {
    while (std::isspace(static_cast<unsigned char>(peek())) != 0) ++position_;
  }

  // previous(x) becomes the variable previous.x, padded with blanks to the same length.
  Result<> look_back(std::size_t start) {
    skip_blanks();
    if (peek() != '(')
      return at(position_, Errc::parse, "previous needs a name in brackets: previous(air_temperature)");
    ++position_;
    skip_blanks();
    const std::size_t name_start = position_;
    const std::string name(take_word());
    if (auto done = use(name_start, name, used_previous_); !done) return done;
    skip_blanks();
    if (peek() != ')') return at(position_, Errc::parse, "previous takes one name, then ')'");
    ++position_;
    std::string variable = "previous." + name;
    variable.resize(position_ - start, ' ');
    out_.text.replace(start, variable.size(), variable);
    return {};
  }

  Result<> symbol(char c) {
    const std::size_t start = position_++;
    if (c == '(') return ++depth_ > kExpressionDepthMax ? at(start, Errc::parse, "nested too deeply") : Result<>{};
    if (c == ')') return --depth_ < 0 ? at(start, Errc::parse, "this ')' closes nothing") : Result<>{};
    if (std::string_view("+-*/%^,").find(c) != std::string_view::npos) return arithmetic(start);
    if (std::string_view("<>=!").find(c) != std::string_view::npos) return comparison(start, c);
    for (const Habit& habit : kHabits)
      if (habit.text[0] == c)
        return at(start, Errc::parse, std::format("'{}' is not taken here: {}", c, habit.instead));
    return at(start, Errc::parse,
              std::format("'{}' is not taken here",
                          std::isprint(static_cast<unsigned char>(c)) != 0 ? std::string(1, c) : "?"));
  }

  Result<> arithmetic(std::size_t start) {
    if (peek() == '=') return at(start, Errc::parse, "nothing can be assigned here");
    if (text_[start] == '/' && (peek() == '/' || peek() == '*'))
      return at(start, Errc::parse, "comments are not taken");
    return {};
  }

  Result<> comparison(std::size_t start, char c) {
    if (c == '=' && peek() != '=') return at(start, Errc::parse, "write == to compare");
    if (c == '!' && peek() != '=') return at(start, Errc::parse, "write not(...)");
    if (c == '<' && peek() == '>') return at(start, Errc::parse, "write !=");
    if (peek() == '=') ++position_;
    if (std::string_view("<>=!").find(peek()) != std::string_view::npos && peek() != '\0')
      return at(position_, Errc::parse, "a value is missing between two comparisons");
    return {};
  }

  const std::string& text_;
  std::span<const std::string> names_;
  ExpressionText out_;
  std::vector<std::size_t> used_, used_previous_;
  std::size_t position_ = 0;
  int depth_ = 0;
};

}  // namespace

bool is_expression_word(std::string_view name) { return std::ranges::find(kWords, name) != kWords.end(); }

Result<ExpressionText> scan_expression(const std::string& text, std::span<const std::string> names) {
  return Scanner(text, names).run();
}

}  // namespace rltune::config
