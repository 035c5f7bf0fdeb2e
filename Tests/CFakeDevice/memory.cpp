#include "memory.h"

#include <ATen/ops/from_blob.h>
#include <sys/mman.h>

#include <cstring>
#include <map>
#include <mutex>

namespace fake {
namespace {

constexpr size_t page = 4096;

/// All blocks, and how often each is opened at present.
class Memory {
  public:
    void *allocate(size_t count) {
        if (count == 0) return nullptr;
        const auto bytes = (count + page - 1) / page * page;
        const std::lock_guard guard(lock);
        if (limit > 0 && static_cast<size_t>(taken.current) + count > limit) {
            TORCH_CHECK_WITH(OutOfMemoryError, false, "the fake device is out of memory: it has ", limit,
                             " bytes, and tensors take ", taken.current);
        }
        void *block = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        TORCH_CHECK(block != MAP_FAILED, "the fake device cannot reserve ", bytes, " bytes");
        blocks[block] = {bytes, count, 0};
        taken.increase(count);
        return block;
    }

    void release(void *block) {
        if (!block) return;
        const std::lock_guard guard(lock);
        const auto found = blocks.find(block);
        munmap(block, found->second.bytes);
        taken.decrease(found->second.count);
        blocks.erase(found);
    }

    void open(void *block, int change) {
        if (!block) return;
        const std::lock_guard guard(lock);
        const auto found = blocks.find(block);
        if (found == blocks.end()) return;
        found->second.opened += change;
        mprotect(block, found->second.bytes, found->second.opened > 0 ? PROT_READ | PROT_WRITE : PROT_NONE);
    }

    void set_limit(size_t bytes) {
        const std::lock_guard guard(lock);
        limit = bytes;
    }

    c10::CachingAllocator::Stat statistics() {
        const std::lock_guard guard(lock);
        return taken;
    }

    void reset_peak() {
        const std::lock_guard guard(lock);
        taken.reset_peak();
    }

    size_t limit_or(size_t other) {
        const std::lock_guard guard(lock);
        return limit > 0 ? limit : other;
    }

  private:
    struct Block {
        size_t bytes, count;
        int opened;
    };

    std::mutex lock;
    std::map<void *, Block> blocks;
    c10::CachingAllocator::Stat taken;
    size_t limit = 0;
};

// Never destroyed: tensors of other static objects may outlive it.
Memory &memory() {
    static auto *shared = new Memory;
    return *shared;
}

class Allocator final : public c10::DeviceAllocator {
  public:
    c10::DataPtr allocate(size_t count) override {
        void *block = memory().allocate(count);
        return {block, block, &release, c10::Device(kind, 0)};
    }

    c10::DeleterFnPtr raw_deleter() const override { return &release; }

    void copy_data(void *into, const void *from, size_t count) const override {
        memory().open(into, 1);
        memory().open(const_cast<void *>(from), 1);
        std::memcpy(into, from, count);
        memory().open(into, -1);
        memory().open(const_cast<void *>(from), -1);
    }

    bool initialized() override { return true; }
    void emptyCache(c10::MempoolId_t) override {}
    void recordStream(const c10::DataPtr &, c10::Stream) override {}

    c10::CachingDeviceAllocator::DeviceStats getDeviceStats(c10::DeviceIndex) override {
        c10::CachingDeviceAllocator::DeviceStats all;
        all.allocated_bytes[static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE)] = memory().statistics();
        return all;
    }

    void resetAccumulatedStats(c10::DeviceIndex) override {}
    void resetPeakStats(c10::DeviceIndex) override { memory().reset_peak(); }

    std::pair<size_t, size_t> getMemoryInfo(c10::DeviceIndex) override {
        const auto total = memory().limit_or(size_t{1} << 40);
        return {total - static_cast<size_t>(memory().statistics().current), total};
    }

  private:
    static void release(void *block) { memory().release(block); }
};

void *block_of(const at::Tensor &tensor) {
    if (tensor.device().type() != kind) return nullptr;
    return tensor.storage().unsafeGetStorageImpl()->_mutable_data_ptr_no_checks().get();
}

}  // namespace

c10::DeviceAllocator *allocator() {
    static auto *shared = new Allocator;
    return shared;
}

void set_limit(size_t bytes) { memory().set_limit(bytes); }

Open::Open(const at::Tensor &tensor) : block(block_of(tensor)) { memory().open(block, 1); }

Open::~Open() { memory().open(block, -1); }

at::Tensor opened(const at::Tensor &tensor) {
    if (tensor.device().is_cpu()) return tensor.detach();
    auto *elements = static_cast<char *>(block_of(tensor)) + tensor.storage_offset() * tensor.itemsize();
    return at::from_blob(elements, tensor.sizes(), tensor.strides(), at::TensorOptions().dtype(tensor.scalar_type()));
}

}  // namespace fake
