#include "keeper_link.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace rltune::coredinator {
namespace {

constexpr int kKeeperDescriptor = 3;  // as src/keeper passes it

}  // namespace

Result<KeeperLink> KeeperLink::inherit() {
  int type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(kKeeperDescriptor, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET)
    return fail(Errc::denied, "coredinator runs under the keeper alone: start the site with 'rltune up SITE'");
  ::fcntl(kKeeperDescriptor, F_SETFD, FD_CLOEXEC);
  return KeeperLink(kKeeperDescriptor);
}

void KeeperLink::send(const v1::KeeperRequest& request) const {
  const std::string bytes = request.SerializeAsString();
  // A keeper that is gone shows in receive(); one that is behind is asked again.
  [[maybe_unused]] const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void KeeperLink::spawn(const v1::RoleSpec& role) const {
  v1::KeeperRequest request;
  *request.mutable_spawn()->mutable_role() = role;
  send(request);
}

void KeeperLink::stop(const std::string& role, double grace_s) const {
  v1::KeeperRequest request;
  request.mutable_stop()->set_name(role);
  request.mutable_stop()->set_grace_s(grace_s);
  send(request);
}

void KeeperLink::ask_children() const {
  v1::KeeperRequest request;
  request.mutable_children();
  send(request);
}

void KeeperLink::tell_status(bool ready, const std::string& text) const {
  v1::KeeperRequest request;
  request.mutable_status()->set_ready(ready);
  request.mutable_status()->set_text(text);
  send(request);
}

void KeeperLink::settle(const config::Telemetry& telemetry, const config::Retention& retention) const {
  v1::KeeperRequest request;
  v1::KeeperSettings& settings = *request.mutable_settings();
  settings.set_level(config::level_of(telemetry, "keeper"));
  settings.set_logs_age_s(retention.logs_days * 86'400.0);
  settings.set_logs_bytes_max(static_cast<std::uint64_t>(retention.logs_max_mb * 1e6));
  settings.set_free_bytes_min(static_cast<std::uint64_t>(retention.free_min_gb * 1e9));
  send(request);
}

void KeeperLink::shut_down(const std::string& reason, bool failed) const {
  v1::ShutdownRequest request;
  request.set_reason(reason);
  request.set_failed(failed);
  shut_down(request);
}

void KeeperLink::shut_down(const v1::ShutdownRequest& request) const {
  v1::KeeperRequest packet;
  *packet.mutable_shutdown() = request;
  send(packet);
}

Result<std::optional<v1::KeeperNotice>> KeeperLink::receive() const {
  std::array<char, 64 * 1024> bytes;
  const ssize_t size = ::recv(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  if (size <= 0) return fail(Errc::disconnected, "the keeper is gone");
  v1::KeeperNotice notice;
  notice.ParseFromArray(bytes.data(), static_cast<int>(size));
  return notice;
}

}  // namespace rltune::coredinator
