// Declarations only: libtorch's wheel has gloo inside and no header of it. Everything here is used through pointers.
#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <vector>
namespace gloo {
namespace transport {
class UnboundBuffer;
}
class Context {
  public:
    void setTimeout(std::chrono::milliseconds timeout);
};
}  // namespace gloo
