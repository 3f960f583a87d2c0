// Any bytes in a structure of a server's own are a number or none.
#include <cstdint>

#include "tank_definition.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rltune::plant;
  static const auto tank = *CustomStructure::make(*tank_definition());
  static const std::vector<std::string> fields{"Level"};
  UA_ExtensionObject object{};
  object.encoding = UA_EXTENSIONOBJECT_ENCODED_BYTESTRING;
  object.content.encoded.typeId = UA_NODEID_NUMERIC(2, 5001);
  object.content.encoded.body = view_of({reinterpret_cast<const char*>(data), size});
  (void)tank->number(object, fields);
  return 0;
}
