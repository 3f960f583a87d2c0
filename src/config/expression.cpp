#include "rltune/config/expression.hpp"

// The parts of ExprTk that the language leaves out cost a minute of compile time and are attack surface.
#define exprtk_disable_string_capabilities
#define exprtk_disable_rtl_io
#define exprtk_disable_rtl_io_file
#define exprtk_disable_rtl_vecops
#define exprtk_disable_caseinsensitivity
#define exprtk_disable_enhanced_features
#define exprtk_disable_superscalar_unroll
#define exprtk_disable_return_statement
#define exprtk_disable_break_continue
#define exprtk_disable_comments
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wshadow"
#include <exprtk.hpp>
#pragma GCC diagnostic pop

#include <cfenv>
#include <cmath>
#include <format>
#include <limits>

#include "expression_text.hpp"
#include "rltune/base/check.hpp"

namespace rltune::config {
namespace {

// Arithmetic as written: no implied multiplication, no joined or replaced tokens, no rewriting for speed.
exprtk::parser<double>::settings_store settings() {
  using Store = exprtk::parser<double>::settings_store;
  Store store(Store::e_numeric_check + Store::e_bracket_check + Store::e_sequence_check + Store::e_disable_vardef);
  store.disable_all_assignment_ops();
  store.disable_control_structure(Store::e_ctrl_for_loop);
  store.disable_control_structure(Store::e_ctrl_while_loop);
  store.disable_control_structure(Store::e_ctrl_repeat_loop);
  store.disable_control_structure(Store::e_ctrl_switch);
  store.disable_base_function(Store::e_bf_swap);
  store.set_max_stack_depth(200);
  store.set_max_node_depth(1000);
  return store;
}

// ExprTk's first error, without its number: "ERR248 - Undefined symbol".
std::string first_error(const exprtk::parser<double>& parser) {
  if (parser.error_count() == 0) return "not an expression";
  const exprtk::parser_error::type error = parser.get_error(0);
  std::string what = error.diagnostic;
  if (const auto dash = what.find(" - "); what.starts_with("ERR") && dash != std::string::npos) what.erase(0, dash + 3);
  const std::size_t column = error.token.position == std::string::npos ? 1 : error.token.position + 1;
  return std::format("column {}: {}", column, what);
}

}  // namespace

struct Expression::State {
  std::vector<std::size_t> used, used_previous;
  std::vector<double> slots;  // those of used, then those of used_previous; the compiled code points here
  exprtk::symbol_table<double> symbols{exprtk::symbol_table<double>::e_immutable};
  exprtk::expression<double> code;
};

Expression::Expression(std::unique_ptr<State> state) : state_(std::move(state)) {}
Expression::~Expression() = default;
Expression::Expression(Expression&&) noexcept = default;
Expression& Expression::operator=(Expression&&) noexcept = default;

bool Expression::is_reserved(const std::string& name) {
  return is_expression_word(name) || exprtk::details::is_reserved_symbol(name) ||
         exprtk::details::is_reserved_word(name);
}

Result<Expression> Expression::compile(const std::string& text, std::span<const std::string> names) {
  auto scanned = scan_expression(text, names);
  if (!scanned) return std::unexpected(scanned.error());
  auto state = std::make_unique<State>();
  state->used = std::move(scanned->used);
  state->used_previous = std::move(scanned->used_previous);
  state->slots.assign(state->used.size() + state->used_previous.size(), 0.0);
  std::size_t slot = 0;
  for (const std::size_t name : state->used)
    if (!state->symbols.add_variable(names[name], state->slots[slot++]))
      return fail(Errc::parse, std::format("'{}' is a word of the expressions and cannot name a value", names[name]));
  for (const std::size_t name : state->used_previous)
    state->symbols.add_variable("previous." + names[name], state->slots[slot++]);
  state->symbols.add_constant("pi", 3.14159265358979323846);
  state->code.register_symbol_table(state->symbols);
  exprtk::parser<double> parser(settings());
  std::feclearexcept(FE_INVALID);
  if (!parser.compile(scanned->text, state->code)) return fail(Errc::parse, first_error(parser));
  if (std::fetestexcept(FE_INVALID) != 0)
    return fail(Errc::parse, "column 1: a constant part has no value, such as 0/0");
  return Expression(std::move(state));
}

const std::vector<std::size_t>& Expression::used() const noexcept { return state_->used; }
const std::vector<std::size_t>& Expression::used_previous() const noexcept { return state_->used_previous; }

double Expression::evaluate(std::span<const double> values, std::span<const double> previous) noexcept {
  constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
  State& state = *state_;
  std::size_t slot = 0;
  bool finite = true;
  for (const std::size_t name : state.used) {
    RLTUNE_CHECK(name < values.size());
    finite &= std::isfinite(state.slots[slot++] = values[name]);
  }
  for (const std::size_t name : state.used_previous) {
    RLTUNE_CHECK(name < previous.size());
    finite &= std::isfinite(state.slots[slot++] = previous[name]);
  }
  if (!finite) return kNothing;
  // A comparison turns NaN into false, and not() that into true: the processor's flag remembers.
  std::feclearexcept(FE_INVALID);
  const double result = state.code.value();
  return std::fetestexcept(FE_INVALID) == 0 ? result : kNothing;
}

}  // namespace rltune::config
