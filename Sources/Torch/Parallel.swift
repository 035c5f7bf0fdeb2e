internal import CTorch

/// Runs a closure for several items on libtorch's threads, where libtorch's own operations then use one thread each.
///
/// The threads take over the caller's gradient mode and autocast. Which thread runs which item is not defined, and the
/// closure must not write to what another item reads.
///
/// - Parameters:
///   - count: The number of items.
///   - body: What to do with an item, 0 ..< `count`.
/// - Returns: What `body` returned for each item, in their order.
/// - Throws: ``TorchError``: the error of the first item that failed.
public func parallelMap<Output>(
    _ count: Int,
    _ body: (Int) throws(TorchError) -> Output
) throws(TorchError) -> [Output] {
    var results = [Result<Output, TorchError>?](repeating: nil, count: count)
    var failure: TorchError?
    results.withUnsafeMutableBufferPointer { places in
        // Each item writes to its own place only.
        let run = { (index: Int) in
            places[index] = Result { () throws(TorchError) in try body(index) }
        }
        withoutActuallyEscaping(run) { run in
            var work = ParallelWork(run: run)
            withUnsafeMutablePointer(to: &work) { work in
                let status = ct_parallel(
                    Int32(clamping: count),
                    { context, index in
                        context?.assumingMemoryBound(to: ParallelWork.self).pointee.run(Int(index))
                    },
                    UnsafeMutableRawPointer(work)
                )
                if status != 0 { failure = TorchError.last("parallel") }
            }
        }
    }
    if let failure { throw failure }
    var outputs: [Output] = []
    for result in results {
        guard let result else {
            throw TorchError(operation: "parallel", message: "an item was not executed")
        }
        outputs.append(try result.get())
    }
    return outputs
}

/// What the threads are handed; without a type parameter, which a function of C could not know.
private struct ParallelWork {
    let run: (Int) -> Void
}
