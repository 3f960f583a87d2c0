// SHA-256 of bytes that come piece by piece, as sha256.hpp has it of those that are there at once.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace rltune {

class Sha256 {
 public:
  Sha256();
  void add(std::string_view bytes);
  // Lower-case hexadecimal. Once, at the end.
  std::string digits();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* state) const noexcept;
  };
  std::unique_ptr<evp_md_ctx_st, Free> state_;
};

}  // namespace rltune
