#include "words.hpp"

namespace rltune::alerts {
namespace {

constexpr const char* kTable = "alerts";

void show(std::optional<Acknowledgement>& acknowledgement, const std::string& alert, const vault::Vault& vault) {
  if (!acknowledgement) return;
  acknowledgement->who = vault.show(acknowledgement->who, {kTable, "who", alert});
  acknowledgement->why = vault.show(acknowledgement->why, {kTable, "why", alert});
}

}  // namespace

Acknowledgement stored(Acknowledgement acknowledgement, const std::string& alert, const vault::Vault& vault) {
  acknowledgement.who = vault.put(acknowledgement.who, {kTable, "who", alert});
  acknowledgement.why = vault.put(acknowledgement.why, {kTable, "why", alert});
  return acknowledgement;
}

Instance shown(Instance instance, const vault::Vault& vault) {
  show(instance.acknowledged, instance.id, vault);
  return instance;
}

Notice shown(Notice notice, const vault::Vault& vault) {
  // Its key is that of one episode of the alert: "role_down-3fa2b1c4d5e6.1767312000000".
  show(notice.acknowledged, notice.key.substr(0, notice.key.rfind('.')), vault);
  return notice;
}

}  // namespace rltune::alerts
