// An Expression over named values: interlocks, rewards, computed tags. Compiled once, evaluated often.
//
// Arithmetic, comparison, and/or/not(x), min, max, abs, clamp(low, x, high), if(c, a, b), and the functions of ExprTk;
// previous(name) is the value at the decision before. No loops, no assignment, no strings.
// Threads: one Expression belongs to one thread. Memory: compile() allocates; evaluate() does not.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"

namespace rltune::config {

class Expression {
 public:
  // A word of the language, which no name may be: "min", "and", "previous".
  static bool is_reserved(const std::string& name);
  // `names` are the variables in the order of evaluate()'s values; those the text uses are in used().
  // Errors: parse, with the column and what was expected there; not_found (unknown name, valid ones listed).
  static Result<Expression> compile(const std::string& text, std::span<const std::string> names);
  ~Expression();
  Expression(Expression&&) noexcept;
  Expression& operator=(Expression&&) noexcept;

  const std::vector<std::size_t>& used() const noexcept;  // indices into names
  const std::vector<std::size_t>& used_previous() const noexcept;
  // Truth is != 0. A value that is not finite, or an invalid operation on the way (0/0, sqrt(-1)), gives NaN
  // even where a comparison would hide it: the caller fails closed. `previous` may be empty where none is used.
  // REQUIRES: values.size() == names.size(); the same for previous where used_previous() is not empty.
  double evaluate(std::span<const double> values, std::span<const double> previous = {}) noexcept;

 private:
  struct State;
  explicit Expression(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rltune::config
