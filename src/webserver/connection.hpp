// A connection in the clear, and one through TLS.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include "shared.hpp"

namespace rltune::webserver {

std::shared_ptr<Connection> make_connection(boost::asio::ip::tcp::socket socket, Shared& shared);
std::shared_ptr<Connection> make_connection(boost::asio::ip::tcp::socket socket, Shared& shared,
                                            boost::asio::ssl::context& tls);

}  // namespace rltune::webserver
