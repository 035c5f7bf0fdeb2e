// Processes that train together, by libtorch's c10d over Gloo.
//
// libtorch's wheel has Gloo inside and none of its headers. Those in stubs/ declare the few names that the public
// header of the process group mentions, all of them behind pointers or never instantiated here.
#define USE_C10D_GLOO 1
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Logging.h>

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../guarded.h"
#include "ctorch_group.h"

using std::chrono::milliseconds;

struct ct_group_s {
    c10::intrusive_ptr<c10d::Store> store;
    /// Null before ct_group_join() and after ct_group_leave().
    c10::intrusive_ptr<c10d::Backend> backend;
    std::string host;
    int port, rank, size;
    milliseconds timeout;
};

namespace ctorch {
namespace {

/// The address of this machine on the way to another, which the others can reach.
///
/// By default Gloo takes the address of the host's name, which is often 127.0.0.1.
std::string own_address(const std::string &host, int port) {
    addrinfo hints{}, *found = nullptr;
    hints.ai_socktype = SOCK_DGRAM;
    TORCH_CHECK(getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) == 0, "the host ", host,
                " is unknown");
    std::string result;
    for (auto *address = found; address && result.empty(); address = address->ai_next) {
        // Connecting a datagram socket sends nothing; it only chooses the interface.
        const int descriptor = socket(address->ai_family, SOCK_DGRAM, 0);
        if (descriptor < 0) continue;
        sockaddr_storage own{};
        socklen_t length = sizeof own;
        char text[NI_MAXHOST];
        if (connect(descriptor, address->ai_addr, address->ai_addrlen) == 0 &&
            getsockname(descriptor, reinterpret_cast<sockaddr *>(&own), &length) == 0 &&
            getnameinfo(reinterpret_cast<sockaddr *>(&own), length, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0)
            result = text;
        close(descriptor);
    }
    freeaddrinfo(found);
    TORCH_CHECK(!result.empty(), "no network interface leads to ", host);
    return result;
}

/// The interface as GLOO_SOCKET_IFNAME names it, as for PyTorch; else the one that leads to the store.
std::shared_ptr<gloo::transport::Device> interface(const ct_group_s &group) {
    const char *name = std::getenv("GLOO_SOCKET_IFNAME");
    return name ? c10d::ProcessGroupGloo::createDeviceForInterface(name)
                : c10d::ProcessGroupGloo::createDeviceForHostname(own_address(group.host, group.port));
}

c10d::Backend &backend_of(ct_group group) {
    TORCH_CHECK(group->backend, "the connections to the other processes are closed");
    return *group->backend;
}

/// What travels: Gloo reads the memory of the processor, without gaps.
at::Tensor packed(const at::Tensor &a) { return a.detach().to(at::kCPU).contiguous(); }

/// Copies back what packed() had to copy.
void unpack(const at::Tensor &sent, const at::Tensor &into) {
    if (!sent.is_alias_of(into)) into.detach().copy_(sent);
}

std::vector<uint8_t> bytes_of(const void *bytes, size_t count) {
    const auto *start = static_cast<const uint8_t *>(bytes);
    return count == 0 ? std::vector<uint8_t>() : std::vector<uint8_t>(start, start + count);
}

/// Some neighbouring parameters whose gradients travel as one tensor.
struct Bucket {
    std::vector<at::Tensor> parameters;
    int64_t bytes = 0;
    at::Tensor flat;
    c10::intrusive_ptr<c10d::Work> work;
};

std::vector<Bucket> buckets_of(const ct_tensor *parameters, int32_t count, int64_t limit) {
    std::vector<Bucket> buckets(1);
    for (int32_t i = 0; i < count; ++i) {
        const auto &parameter = parameters[i]->value;
        const auto bytes = parameter.numel() * static_cast<int64_t>(sizeof(float));
        if (!buckets.back().parameters.empty() && buckets.back().bytes + bytes > limit) buckets.emplace_back();
        buckets.back().parameters.push_back(parameter);
        buckets.back().bytes += bytes;
    }
    return buckets;
}

/// The weighted gradients of a bucket, then the numbers if there are some, as one tensor of the processor's memory.
at::Tensor flattened(const Bucket &bucket, const at::Tensor &weight, const at::Tensor &numbers) {
    std::vector<at::Tensor> rows;
    int64_t length = 0;
    for (const auto &parameter : bucket.parameters) {
        const auto &gradient = parameter.grad();
        rows.push_back(gradient.defined() ? gradient.detach().to(at::kFloat).reshape({-1})
                                          : at::zeros({parameter.numel()}, parameter.options().dtype(at::kFloat)));
        length += parameter.numel();
    }
    if (numbers.defined()) rows.push_back(numbers.detach());
    auto flat = at::cat(rows);
    flat.narrow(0, 0, length).mul_(weight);
    return flat.to(at::kCPU);
}

/// Copies the mean gradients of a bucket to where its parameters have theirs.
void scatter(const Bucket &bucket, const at::Tensor &total) {
    std::vector<at::Tensor> gradients, pieces;
    int64_t from = 0;
    for (const auto &parameter : bucket.parameters) {
        const auto count = parameter.numel();
        const auto &gradient = parameter.grad();
        if (gradient.defined()) {
            gradients.push_back(gradient.detach());
            pieces.push_back(bucket.flat.narrow(0, from, count).div_(total).view(gradient.sizes()));
        }
        from += count;
    }
    if (gradients.empty()) return;
    if (gradients.front().is_cpu())
        at::_foreach_copy_(gradients, pieces);
    else
        for (size_t i = 0; i < gradients.size(); ++i) gradients[i].copy_(pieces[i], /*non_blocking=*/true);
}

/// Waits for everything that was sent, also after a failure: what is under way uses the buckets' memory.
void wait(std::vector<Bucket> &buckets) {
    std::exception_ptr failure;
    for (auto &bucket : buckets) {
        if (!bucket.work) continue;
        try {
            bucket.work->wait();
        } catch (...) {
            if (!failure) failure = std::current_exception();
        }
    }
    if (failure) std::rethrow_exception(failure);
}

}  // namespace
}  // namespace ctorch

using namespace ctorch;

extern "C" {

bool ct_has_group(void) { return true; }

int32_t ct_group_connect(const char *host, int32_t port, bool serves, const char *prefix, int32_t rank, int32_t size,
                         int64_t timeout_ms, ct_group *out) {
    return guarded([&] {
        // c10d otherwise prints stack traces of every lost connection. The level is set in place of its variable:
        // another thread may be reading the environment.
        if (!std::getenv("TORCH_CPP_LOG_LEVEL")) FLAGS_caffe2_log_level = 3;
        c10::initLogging();
        c10d::TCPStoreOptions options;
        options.port = static_cast<uint16_t>(port);
        options.isServer = serves;
        options.waitWorkers = false;
        options.timeout = milliseconds(timeout_ms);
        auto store = c10::make_intrusive<c10d::TCPStore>(host, options);
        *out = new ct_group_s{c10::make_intrusive<c10d::PrefixStore>(prefix, std::move(store)),
                              nullptr,
                              host,
                              port,
                              rank,
                              size,
                              options.timeout};
    });
}

int32_t ct_group_join(ct_group group) {
    return guarded([&] {
        auto options = c10d::ProcessGroupGloo::Options::create(group->timeout);
        options->devices.push_back(interface(*group));
        group->backend =
            c10::make_intrusive<c10d::ProcessGroupGloo>(group->store, group->rank, group->size, std::move(options));
    });
}

int32_t ct_group_leave(ct_group group) {
    return guarded([&] { group->backend.reset(); });
}

void ct_group_release(ct_group group) {
    guarded([&] { delete group; });
}

int32_t ct_group_set(ct_group group, const char *key, const void *bytes, size_t count) {
    return guarded([&] { group->store->set(key, bytes_of(bytes, count)); });
}

int32_t ct_group_get(ct_group group, const char *key, ct_tensor *out) {
    return guarded([&] {
        if (!group->store->check({key})) {
            *out = nullptr;
            return;
        }
        const auto bytes = group->store->get(key);
        auto value = at::empty({static_cast<int64_t>(bytes.size())}, at::kByte);
        std::copy(bytes.begin(), bytes.end(), value.mutable_data_ptr<uint8_t>());
        give(out, value);
    });
}

int32_t ct_group_sum_(ct_group group, ct_tensor a) {
    return guarded([&] {
        at::NoGradGuard no_gradient;
        std::vector<at::Tensor> sent{packed(a->value)};
        backend_of(group).allreduce(sent)->wait();
        unpack(sent[0], a->value);
    });
}

int32_t ct_group_broadcast_(ct_group group, const ct_tensor *tensors, int32_t count) {
    return guarded([&] {
        at::NoGradGuard no_gradient;
        for (int32_t i = 0; i < count; ++i) {
            if (tensors[i]->value.numel() == 0) continue;
            std::vector<at::Tensor> sent{packed(tensors[i]->value)};
            backend_of(group).broadcast(sent)->wait();
            unpack(sent[0], tensors[i]->value);
        }
    });
}

int32_t ct_group_gather(ct_group group, ct_tensor a, ct_tensor *out) {
    return returning(out, [&] {
        at::NoGradGuard no_gradient;
        std::vector<at::Tensor> sent{packed(a->value)};
        auto shape = sent[0].sizes().vec();
        shape.insert(shape.begin(), group->size);
        auto all = at::empty(shape, sent[0].options());
        if (sent[0].numel() == 0) return all;
        std::vector<std::vector<at::Tensor>> received{all.unbind(0)};
        backend_of(group).allgather(received, sent)->wait();
        return all;
    });
}

int32_t ct_group_average_gradients(ct_group group, const ct_tensor *parameters, int32_t count, int64_t bucket_bytes,
                                   ct_tensor numbers) {
    return guarded([&] {
        at::NoGradGuard no_gradient;
        auto &backend = backend_of(group);
        const auto weight = numbers->value.detach().narrow(0, 0, 1);
        auto buckets = buckets_of(parameters, count, bucket_bytes);
        for (size_t i = 0; i < buckets.size(); ++i) {
            auto &bucket = buckets[i];
            bucket.flat = flattened(bucket, weight, i == 0 ? numbers->value : at::Tensor());
            std::vector<at::Tensor> sent{bucket.flat};
            bucket.work = backend.allreduce(sent);
        }
        wait(buckets);
        const auto length = numbers->value.numel();
        const auto &first = buckets.front().flat;
        const auto sums = first.narrow(0, first.numel() - length, length);
        const auto total = sums.narrow(0, 0, 1);
        for (const auto &bucket : buckets) scatter(bucket, total);
        numbers->value.detach().copy_(sums);
    });
}

}  // extern "C"
