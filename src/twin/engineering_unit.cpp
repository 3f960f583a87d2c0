#include "engineering_unit.hpp"

#include <algorithm>
#include <array>

namespace rltune::twin {
namespace {

struct Row {
  std::string_view unit;
  std::string_view code;
  std::string_view description;
};

constexpr std::array kRows{
    Row{"%", "P1", "percent"},
    Row{"1", "C62", "one"},
    Row{"K", "KEL", "kelvin"},
    Row{"V", "VLT", "volt"},
    Row{"W/m2", "D54", "watt per square metre"},
    Row{"cm", "CMT", "centimetre"},
    Row{"degC", "CEL", "degree Celsius"},
    Row{"g/m3", "A93", "gram per cubic metre"},
    Row{"h", "HUR", "hour"},
    Row{"kg/m2", "28", "kilogram per square metre"},
    Row{"kg/m3", "KMQ", "kilogram per cubic metre"},
    Row{"l/min", "L2", "litre per minute"},
    Row{"m", "MTR", "metre"},
    Row{"m/s", "MTS", "metre per second"},
    Row{"min", "MIN", "minute [unit of time]"},
    Row{"mm/s", "C16", "millimetre per second"},
    Row{"mol/l", "C38", "mole per litre"},
    Row{"mol/m3", "C36", "mole per cubic metre"},
    Row{"ppm", "59", "part per million"},
    Row{"s", "SEC", "second [unit of time]"},
};

}  // namespace

EngineeringUnit engineering_unit(std::string_view unit) noexcept {
  const auto* row = std::ranges::find(kRows, unit, &Row::unit);
  if (row == kRows.end()) return {};
  std::int32_t id = 0;
  for (const char letter : row->code) id = id * 256 + static_cast<unsigned char>(letter);
  return {id, row->description};
}

}  // namespace rltune::twin
