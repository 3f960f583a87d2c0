// What the connections of a server share.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_set>

#include "router.hpp"

namespace rltune::webserver {

// One connection, from its acceptance to its end. Its functions run on its own executor, one at a time.
class Connection {
 public:
  virtual ~Connection() = default;
  virtual void run() = 0;
  virtual boost::asio::any_io_executor executor() = 0;
  virtual void answer(Response) {}
  virtual void wake() {}  // a socket has something to do
  virtual void cut() {}   // the server has ended; on the thread that ended it
};

// The connections that are open. Replies come from any thread, also after the server has gone: they find their
// connection through here, or find that it is gone.
class Connections {
 public:
  // False: there are too many.
  bool add(std::shared_ptr<Connection> connection, std::size_t most);
  void remove(const std::shared_ptr<Connection>& connection);
  // One connection goes on as another.
  void replace(const std::shared_ptr<Connection>& connection, std::shared_ptr<Connection> by);
  // Calls it with the connection, on its executor, where it is there still.
  void reach(const std::weak_ptr<Connection>& connection, std::move_only_function<void(Connection&)> act);
  // The server's threads have ended. Nothing reaches a connection from now on.
  void close();

 private:
  std::mutex mutex_;
  bool open_ = true;
  std::unordered_set<std::shared_ptr<Connection>> all_;
};

struct Shared {
  Options options;
  Router router;
  std::shared_ptr<Connections> connections = std::make_shared<Connections>();
  std::map<std::string, SocketHandler, std::less<>> sockets{};  // by path
  std::atomic<std::size_t> sockets_open = 0;
  std::atomic<std::size_t> body_bytes = 0;  // of the bodies of all requests under way
};

}  // namespace rltune::webserver
