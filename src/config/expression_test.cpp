#include "rltune/config/expression.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "counting_new.hpp"
#include "expression_text.hpp"

namespace rltune::config {
namespace {

const std::vector<std::string> kNames{"x", "y", "temperature"};
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double value_of(const std::string& text, const std::vector<double>& values = {2.0, 3.0, 20.0},
                const std::vector<double>& previous = {1.0, 1.0, 18.0}) {
  auto expression = Expression::compile(text, kNames);
  EXPECT_TRUE(expression) << text << ": " << expression.error().message;
  return expression ? expression->evaluate(values, previous) : -12345.0;
}

std::string error_of(const std::string& text) {
  const auto expression = Expression::compile(text, kNames);
  return expression ? "compiled" : expression.error().message;
}

TEST(Expression, arithmetic_comparison_and_choice) {
  EXPECT_EQ(value_of("x + 2 * y"), 8.0);
  EXPECT_EQ(value_of("(x + 2) * y ^ 2"), 36.0);
  EXPECT_EQ(value_of("x < y and y < 4"), 1.0);
  EXPECT_EQ(value_of("x > y or not(y == 3)"), 0.0);
  EXPECT_EQ(value_of("if(x < y, 10, 20)"), 10.0);
  EXPECT_EQ(value_of("clamp(0, y, 2.5)"), 2.5);
  EXPECT_EQ(value_of("min(x, y) - max(x, y, 7) + abs(-1)"), -4.0);
  EXPECT_EQ(value_of("1e3 * .5"), 500.0);
  EXPECT_NEAR(value_of("sin(pi / 2)"), 1.0, 1e-15);
  EXPECT_EQ(value_of("-x"), -2.0);
}

TEST(Expression, previous_is_the_value_at_the_decision_before) {
  EXPECT_EQ(value_of("temperature - previous(temperature)"), 2.0);
  EXPECT_EQ(value_of("previous( x ) + previous(y)*10"), 11.0);
  const auto expression = Expression::compile("y - previous(temperature)", kNames);
  ASSERT_TRUE(expression);
  EXPECT_EQ(expression->used(), (std::vector<std::size_t>{1}));
  EXPECT_EQ(expression->used_previous(), (std::vector<std::size_t>{2}));
}

TEST(Expression, a_value_that_is_not_finite_gives_nan_even_behind_a_comparison) {
  EXPECT_TRUE(std::isnan(value_of("x < 3", {kNan, 0, 0})));
  EXPECT_TRUE(std::isnan(value_of("not(x > 3)", {kNan, 0, 0})));
  EXPECT_TRUE(std::isnan(value_of("not(x > 3)", {std::numeric_limits<double>::infinity(), 0, 0})));
  EXPECT_TRUE(std::isnan(value_of("previous(x) < 3", {0, 0, 0}, {kNan, 0, 0})));
  EXPECT_EQ(value_of("x < 3", {1.0, kNan, kNan}), 1.0) << "values that it does not use do not matter";
}

TEST(Expression, an_invalid_operation_gives_nan_even_behind_a_comparison) {
  EXPECT_TRUE(std::isnan(value_of("not((x - 2) / (y - 3) > 1)")));
  EXPECT_TRUE(std::isnan(value_of("not(sqrt(-x) > 1)")));
  EXPECT_TRUE(std::isnan(value_of("if(log(-x) < 1, 0, 1)")));
  EXPECT_EQ(error_of("not(0 / 0 > x)"), "column 1: a constant part has no value, such as 0/0");
}

TEST(Expression, an_unknown_name_is_refused_with_the_nearest_one) {
  EXPECT_EQ(error_of("x + temprature"), "column 5: there is no 'temprature'; did you mean 'temperature'?");
  EXPECT_EQ(error_of("previous(z1234567)"), "column 10: there is no 'z1234567'; there are x, y, temperature");
}

TEST(Expression, what_is_not_arithmetic_is_refused_with_the_column) {
  EXPECT_EQ(error_of("x := 3"), "column 3: ':' is not taken here: write if(condition, a, b)");
  EXPECT_EQ(error_of("x += 3"), "column 3: nothing can be assigned here");
  EXPECT_EQ(error_of("x = 3"), "column 3: write == to compare");
  EXPECT_EQ(error_of("x && y"), "column 3: '&' is not taken here: write 'and'");
  EXPECT_EQ(error_of("!x"), "column 1: write not(...)");
  EXPECT_EQ(error_of("2x"), "column 2: 'x' cannot follow a number; write * to multiply");
  EXPECT_EQ(error_of("1e999 + x"), "column 1: the number is out of range");
  EXPECT_EQ(error_of("(x + 1"), "column 7: a ')' is missing");
  EXPECT_EQ(error_of("x)"), "column 2: this ')' closes nothing");
  EXPECT_EQ(error_of("x <=> y"), "column 5: a value is missing between two comparisons");
  EXPECT_EQ(error_of("  "), "column 1: the expression is empty");
  for (const char* text : {"while (x > 0) { x }",
                           "for(;;)",
                           "var z",
                           "x; y",
                           "x[0]",
                           "'abc'",
                           "return [x]",
                           "swap(x, y)",
                           "repeat x until y",
                           "switch",
                           "x / / y",
                           "x // y",
                           "~x",
                           "$f00(x,y,x)",
                           "x y",
                           "x +",
                           "min()",
                           "if(x)",
                           "max(x,)",
                           "x ? 1 : 2",
                           "previous",
                           "previous(1)",
                           "previous(x + y)",
                           "null",
                           "x #",
                           "x @ y",
                           "assert(x)"})
    EXPECT_NE(error_of(text), "compiled") << text;
}

TEST(Expression, nesting_and_length_are_bounded) {
  EXPECT_NE(error_of(std::string(70, '(') + "x" + std::string(70, ')')).find("nested too deeply"), std::string::npos);
  EXPECT_NE(error_of("x" + std::string(kExpressionBytesMax, ' ')).find("longer than"), std::string::npos);
  std::string minus(2000, '-');
  EXPECT_NE(error_of(minus + "x"), "compiled");
}

TEST(Expression, words_of_the_language_cannot_name_values) {
  for (const char* word : {"min", "and", "previous", "if", "pi", "for", "var", "true"})
    EXPECT_TRUE(Expression::is_reserved(word)) << word;
  for (const char* word : {"heating", "air_temperature", "co2"}) EXPECT_FALSE(Expression::is_reserved(word)) << word;
}

TEST(Expression, evaluation_allocates_nothing) {
  auto expression =
      Expression::compile("if(x > 1 and temperature < 30, clamp(0, y - previous(y), 9), sqrt(x))", kNames);
  ASSERT_TRUE(expression);
  const std::vector<double> values{2, 3, 20}, previous{1, 1, 1};
  const auto before = counting::allocations();
  double sum = 0.0;
  for (int i = 0; i < 1000; ++i) sum += expression->evaluate(values, previous);
  EXPECT_EQ(counting::allocations(), before);
  EXPECT_EQ(sum, 2000.0);
}

}  // namespace
}  // namespace rltune::config
