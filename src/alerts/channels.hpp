// The kinds of channel, and what they share.
#pragma once

#include "rltune/alerts/channel.hpp"
#include "rltune/http/client.hpp"

namespace rltune::alerts {

std::unique_ptr<Channel> make_log_channel();
std::unique_ptr<Channel> make_webhook(const config::Channel& channel, const ChannelOptions& options);
std::unique_ptr<Channel> make_pagerduty(const config::Channel& channel, const ChannelOptions& options);
std::unique_ptr<Channel> make_email(const config::Channel& channel, const ChannelOptions& options);

// What `what`_file or `what`_env refer to. Errors: denied, not_found, naming the reference and never the secret.
Result<std::string> secret_of(const std::string& channel, const std::string& what, const ChannelOptions& options,
                              const std::filesystem::path& file, const std::string& variable);
http::Client make_client(const config::Channel& channel, const ChannelOptions& options);
// Whether the answer says that it was taken, may be later, or never.
Result<> judged(const Result<http::Response>& response);

// "[critical] pilot: role_down: up is 0, below 1", with what became of it before it.
std::string title_of(const Notice& notice);
// Everything there is to say, a line each.
std::string text_of(const Notice& notice);

}  // namespace rltune::alerts
