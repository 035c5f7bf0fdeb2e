// The pool holds about as much as was in use at one time at most: what is idle is freed before more is taken.
#include "memory.h"

#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

namespace ctorch::block {
namespace {

struct Piece {
    int64_t bytes;
    encoder::Memory memory;
};

struct Pool {
    std::mutex mutex;
    std::vector<Piece> idle;
    int64_t idle_bytes = 0, used_bytes = 0, most_used_bytes = 0;

    Piece take(std::vector<Piece>::iterator piece) {
        auto found = std::move(*piece);
        idle.erase(piece);
        idle_bytes -= found.bytes;
        return found;
    }
};

// Never destroyed: tensors may outlive static objects.
Pool &pool() {
    static auto *const pool = new Pool;
    return *pool;
}

// The smallest idle piece that is large enough and not far too large; else one without memory.
Piece taken(int64_t bytes) {
    auto &pool = block::pool();
    const std::lock_guard lock(pool.mutex);
    auto best = pool.idle.end();
    for (auto piece = pool.idle.begin(); piece != pool.idle.end(); ++piece)
        if (piece->bytes >= bytes && piece->bytes <= bytes + bytes / 4 + 4096 &&
            (best == pool.idle.end() || piece->bytes < best->bytes))
            best = piece;
    auto piece = best != pool.idle.end() ? pool.take(best) : Piece{bytes, encoder::Memory()};
    pool.used_bytes += piece.bytes;
    pool.most_used_bytes = std::max(pool.most_used_bytes, pool.used_bytes);
    // The oldest goes first: it may be of a size that nobody asks for any more.
    while (!pool.idle.empty() && pool.used_bytes + pool.idle_bytes > pool.most_used_bytes / 8 * 9)
        pool.take(pool.idle.begin());
    return piece;
}

}  // namespace

Borrowed::Borrowed(int64_t bytes) {
    auto piece = taken(bytes);
    bytes_ = piece.bytes;
    memory_ = piece.memory.data() ? std::move(piece.memory) : encoder::Memory(bytes);
}

Borrowed::~Borrowed() {
    if (!memory_.data()) return;
    auto &pool = block::pool();
    const std::lock_guard lock(pool.mutex);
    pool.used_bytes -= bytes_;
    pool.idle_bytes += bytes_;
    pool.idle.push_back({bytes_, std::move(memory_)});
}

at::Tensor borrowed_tensor(at::IntArrayRef sizes, at::ScalarType dtype) {
    auto count = static_cast<int64_t>(c10::elementSize(dtype));
    for (const auto size : sizes) count *= size;
    auto memory = std::make_shared<Borrowed>(count);
    auto *data = memory->data();
    return at::from_blob(
        data, sizes, [memory = std::move(memory)](void *) {}, at::TensorOptions().dtype(dtype));
}

void empty_pool() {
    auto &pool = block::pool();
    const std::lock_guard lock(pool.mutex);
    pool.idle.clear();
    pool.idle_bytes = 0;
}

}  // namespace ctorch::block
