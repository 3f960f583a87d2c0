// Renews our own certificate beside the link that uses it. Some time before its end it makes the next one, or takes the
// pair that an operator put there, opens a second session with it now and then, and as soon as the server accepts that
// one, hands it to the link, which goes on with it: no moment without a session lies between. The same for a pair put
// over ours while a session runs with the one before.
//
// The next pair becomes ours on the disk before the link takes the session, so that whoever starts after a kill
// connects with a pair that the server accepts.
//
// Threads: one of its own for files, keys and the second session; the functions here belong to the protocol thread, and
//          none of them waits.
// Internal.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>

#include "opcua_session.hpp"
#include "rltune/base/breaker.hpp"
#include "rltune/base/clock.hpp"

namespace rltune::plant {

class OpcuaRenewal {
 public:
  // Whatever it refers to outlives it. `stop`: was set before the destructor runs.
  OpcuaRenewal(const OpcuaOptions& options, std::span<const TagBinding> bindings, int wake_descriptor,
               const std::atomic<bool>& stop);
  ~OpcuaRenewal();
  OpcuaRenewal(const OpcuaRenewal&) = delete;
  OpcuaRenewal& operator=(const OpcuaRenewal&) = delete;

  // The certificate of the session that runs; empty: none does, and nothing is tried meanwhile.
  void in_use(std::string certificate);

  // A session that is to replace the one that runs; null: none.
  std::unique_ptr<OpcuaSession> take();
  // The server has room for one session alone: the one that runs has to end before another can begin.
  bool asks_to_reconnect() { return reconnect_.exchange(false); }
  // Ends the session that was replaced, off the protocol thread.
  void retire(std::unique_ptr<OpcuaSession> session);

 private:
  struct Candidate {
    Identity identity;
    bool is_next = false;
  };

  void run();
  void look();
  std::optional<Candidate> candidate(const OpcuaPki& pki, const std::string& used);
  void attempt(const OpcuaPki& pki, const Candidate& candidate);
  void hand_over(std::unique_ptr<OpcuaSession> session);
  // Says it where it differs from what was said last.
  void tell(const std::string& trouble, const std::string& file);
  void wake() const noexcept;

  const OpcuaOptions& options_;
  const std::span<const TagBinding> bindings_;
  const int wake_;
  const std::atomic<bool>& stop_;
  WallClock clock_;
  Breaker attempts_;
  std::string tried_, told_;
  std::atomic<bool> reconnect_ = false;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string used_;
  std::unique_ptr<OpcuaSession> ready_, retired_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace rltune::plant
