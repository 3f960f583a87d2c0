#include "shared.hpp"

#include <boost/asio/post.hpp>

namespace rltune::webserver {

bool Connections::add(std::shared_ptr<Connection> connection, std::size_t most) {
  const std::scoped_lock lock(mutex_);
  if (all_.size() >= most) return false;
  all_.insert(std::move(connection));
  return true;
}

void Connections::remove(const std::shared_ptr<Connection>& connection) {
  const std::scoped_lock lock(mutex_);
  all_.erase(connection);
}

void Connections::replace(const std::shared_ptr<Connection>& connection, std::shared_ptr<Connection> by) {
  const std::scoped_lock lock(mutex_);
  all_.erase(connection);
  all_.insert(std::move(by));
}

void Connections::reach(const std::weak_ptr<Connection>& connection, std::move_only_function<void(Connection&)> act) {
  const std::scoped_lock lock(mutex_);
  if (!open_) return;
  auto found = connection.lock();
  if (!found) return;
  const auto executor = found->executor();
  boost::asio::post(executor, [found = std::move(found), act = std::move(act)]() mutable { act(*found); });
}

void Connections::close() {
  std::unordered_set<std::shared_ptr<Connection>> all;
  {
    const std::scoped_lock lock(mutex_);
    open_ = false;
    all.swap(all_);
  }
  for (const auto& connection : all) connection->cut();
}

}  // namespace rltune::webserver
