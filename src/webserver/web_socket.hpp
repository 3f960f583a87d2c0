// A connection that has become a WebSocket.
#pragma once

#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include "claim.hpp"
#include "socket_queue.hpp"

namespace rltune::webserver {

using Plain = boost::beast::tcp_stream;
using Tls = boost::asio::ssl::stream<boost::beast::tcp_stream>;
using Message = boost::beast::http::request<boost::beast::http::string_body>;

struct OpenSocket {
  std::shared_ptr<SocketQueue> queue;
  SocketEvents events;
  Claim place;
};

// What is wrong with a request that should become a socket, `rest` bytes having come behind it.
std::optional<Response> refusal_of_upgrade(const Message& request, std::size_t rest);

std::shared_ptr<Connection> make_web_socket(Plain stream, Shared& shared, OpenSocket socket, Message upgrade);
std::shared_ptr<Connection> make_web_socket(Tls stream, Shared& shared, OpenSocket socket, Message upgrade);

}  // namespace rltune::webserver
