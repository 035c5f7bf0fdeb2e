import Foundation
import Synchronization

/// The numbers of one batch; written while the batch is made, only read from then on.
///
/// A batch of 64 images is 39 MB. Its memory goes back to the loader's pool with the last batch that holds it:
/// allocating it again takes about a tenth of the decoding time.
final class PixelStorage: @unchecked Sendable {
    let buffer: UnsafeMutableBufferPointer<Float>
    private let pool: PixelPool

    fileprivate init(_ buffer: UnsafeMutableBufferPointer<Float>, pool: PixelPool) {
        self.buffer = buffer
        self.pool = pool
    }

    deinit { pool.give(PixelPool.Memory(buffer: buffer)) }
}

/// The memory of batches that are no longer in use, all of one size.
final class PixelPool: Sendable {
    /// Memory that nothing else refers to.
    fileprivate struct Memory: @unchecked Sendable {
        let buffer: UnsafeMutableBufferPointer<Float>
    }

    private let limit: Int
    private let spare = Mutex<[Memory]>([])

    /// Creates a pool that keeps no more than `limit` batches' memory.
    init(limit: Int) {
        self.limit = limit
    }

    deinit {
        for memory in spare.withLock({ $0 }) { free(memory.buffer.baseAddress) }
    }

    /// Allocates uninitialised memory for numbers; `nil` if there is not enough.
    func take(_ count: Int) -> PixelStorage? {
        let known = spare.withLock { spare in
            spare.last?.buffer.count == count ? spare.popLast() : nil
        }
        if let known { return PixelStorage(known.buffer, pool: self) }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Float>.stride)
        guard count > 0, !overflow, let address = malloc(bytes) else { return nil }
        let start = address.bindMemory(to: Float.self, capacity: count)
        return PixelStorage(UnsafeMutableBufferPointer(start: start, count: count), pool: self)
    }

    fileprivate func give(_ memory: Memory) {
        let isKept = spare.withLock { spare in
            guard spare.count < limit,
                spare.last.map({ $0.buffer.count == memory.buffer.count }) ?? true
            else { return false }
            spare.append(memory)
            return true
        }
        if !isKept { free(memory.buffer.baseAddress) }
    }
}
