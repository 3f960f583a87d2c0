#include "opcua_renewal.hpp"

#include <unistd.h>

#include <format>

#include "rltune/base/log.hpp"

namespace rltune::plant {
namespace {

// The protocol thread takes a session between two of its steps; one that it cannot take by then, it does not need.
constexpr auto kTaking = std::chrono::seconds(5);

}  // namespace

OpcuaRenewal::OpcuaRenewal(const OpcuaOptions& options, std::span<const TagBinding> bindings, int wake_descriptor,
                           const std::atomic<bool>& stop)
    : options_(options),
      bindings_(bindings),
      wake_(wake_descriptor),
      stop_(stop),
      attempts_({.failures_max = 1,
                 .wait_first = options.renewal_look,
                 .wait_max = 10 * options.renewal_look,
                 .seed = static_cast<std::uint64_t>(clock_.steady().count())}) {
  thread_ = std::thread([this] { run(); });
}

OpcuaRenewal::~OpcuaRenewal() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void OpcuaRenewal::in_use(std::string certificate) {
  {
    const std::lock_guard lock(mutex_);
    used_ = std::move(certificate);
  }
  changed_.notify_all();
}

std::unique_ptr<OpcuaSession> OpcuaRenewal::take() {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || !ready_) return nullptr;
  return std::move(ready_);
}

void OpcuaRenewal::retire(std::unique_ptr<OpcuaSession> session) {
  {
    const std::lock_guard lock(mutex_);
    retired_ = std::move(session);
  }
  changed_.notify_all();
}

void OpcuaRenewal::run() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    lock.unlock();
    look();
    lock.lock();
    const auto woken = [this] { return ending_ || retired_; };
    changed_.wait_for(lock, options_.renewal_look, woken);
    if (const auto ended = std::move(retired_)) {
      lock.unlock();
      ended->close(!stop_);
      lock.lock();
    }
  }
}

void OpcuaRenewal::look() {
  const auto pki = OpcuaPki::open(options_.pki);
  if (!pki) return tell(pki.error().message, "");
  if (auto settled = pki->settle(); !settled) tell(settled.error().message, "");
  const auto made = pki->prepare_next(clock_.now(), options_.renew_before);
  if (!made) return tell(made.error().message, "");
  const std::string file = (pki->folder() / "own" / "next.der").string();
  if (*made)
    log::warning("our certificate ends soon, and the plant's server has to trust the next one",
                 {{"certificate", file}});
  std::string used;
  {
    const std::lock_guard lock(mutex_);
    used = used_;
  }
  if (used.empty()) return;
  const auto found = candidate(*pki, used);
  if (!found) return;
  if (std::exchange(tried_, found->identity.certificate) != found->identity.certificate) attempts_.succeeded();
  if (attempts_.allows(clock_.steady())) attempt(*pki, *found);
}

// A pair put over ours comes before the next one.
std::optional<OpcuaRenewal::Candidate> OpcuaRenewal::candidate(const OpcuaPki& pki, const std::string& used) {
  const CertificateRequest request{.application_uri = options_.application_uri};
  auto next = pki.next(request, clock_.now());
  if (!next) tell(next.error().message, "");
  if (next && *next && (*next)->certificate == used) {  // and could not be kept as ours
    if (auto kept = pki.use_next(); !kept) tell(kept.error().message, "");
    return std::nullopt;
  }
  auto ours = pki.identity(request, clock_.now());
  if (!ours) tell(ours.error().message, "");
  if (ours && ours->certificate != used) return Candidate{std::move(*ours), false};
  if (!next || !*next) return std::nullopt;
  return Candidate{std::move(**next), true};
}

void OpcuaRenewal::attempt(const OpcuaPki& pki, const Candidate& candidate) {
  auto session = std::make_unique<OpcuaSession>(options_, wake_, stop_);
  const auto up = session->establish(bindings_, candidate.is_next ? std::optional(candidate.identity) : std::nullopt);
  const bool full = !up && session->client().server_is_full();
  if (!up && !full) {
    attempts_.failed(clock_.steady());
    return tell(up.error().message, (pki.folder() / "own" / (candidate.is_next ? "next.der" : "cert.der")).string());
  }
  if (auto taken = candidate.is_next ? pki.use_next() : Result<>(); !taken) {
    attempts_.failed(clock_.steady());
    return tell(taken.error().message, "");
  }
  log::info("the plant's server accepts our new certificate",
            {{"thumbprint", read_certificate(candidate.identity.certificate)->thumbprint}});
  attempts_.succeeded();
  if (!full) return hand_over(std::move(session));
  session.reset();
  reconnect_ = true;
  wake();
}

void OpcuaRenewal::hand_over(std::unique_ptr<OpcuaSession> session) {
  std::unique_lock lock(mutex_);
  ready_ = std::move(session);
  wake();
  changed_.wait_for(lock, kTaking, [this] { return ending_ || retired_; });
  const auto left = std::move(ready_);
  lock.unlock();
}

void OpcuaRenewal::tell(const std::string& trouble, const std::string& file) {
  if (std::exchange(told_, trouble) == trouble || stop_) return;
  log::warning("our new certificate is not in use yet", {{"reason", trouble}, {"certificate", file}});
}

void OpcuaRenewal::wake() const noexcept {
  const std::uint64_t one = 1;
  (void)!::write(wake_, &one, sizeof one);
}

}  // namespace rltune::plant
