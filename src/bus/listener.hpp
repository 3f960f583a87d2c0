// A Unix socket that others connect to. Internal.
#pragma once

#include <sys/types.h>
#include <sys/un.h>

#include <optional>
#include <string>

#include "rltune/base/descriptor.hpp"
#include "rltune/base/error.hpp"
#include "stream.hpp"

namespace rltune::bus {

// REQUIRES: a path of path_of().
sockaddr_un address_of(const std::string& path) noexcept;

class Listener {
 public:
  // In the place of whoever listened there. Errors: invalid_argument, io.
  static Result<Listener> bind(const std::string& endpoint);
  // The path goes as well, unless somebody else listens there by now.
  ~Listener();
  Listener(Listener&&) noexcept = default;

  // Whoever waits to be let in.
  std::optional<Stream> accept() noexcept;
  int descriptor() const noexcept { return socket_.get(); }

 private:
  Listener(Descriptor socket, std::string path, ino_t file) noexcept
      : socket_(std::move(socket)), path_(std::move(path)), file_(file) {}

  Descriptor socket_;
  std::string path_;
  ino_t file_;
};

}  // namespace rltune::bus
