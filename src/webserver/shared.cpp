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

void Connections::answer(const std::weak_ptr<Connection>& connection, Response response) {
  const std::scoped_lock lock(mutex_);
  if (!open_) return;
  auto found = connection.lock();
  if (!found) return;
  const auto executor = found->executor();
  boost::asio::post(executor, [found = std::move(found), response = std::move(response)]() mutable {
    found->answer(std::move(response));
  });
}

void Connections::close() {
  const std::scoped_lock lock(mutex_);
  open_ = false;
  all_.clear();
}

}  // namespace rltune::webserver
