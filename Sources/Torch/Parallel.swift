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
public func parallelMap(
    _ count: Int,
    _ body: (Int) throws(TorchError) -> Tensor
) throws(TorchError) -> [Tensor] {
    var results = [Result<Tensor, TorchError>?](repeating: nil, count: count)
    var failure: TorchError?
    results.withUnsafeMutableBufferPointer { places in
        withoutActuallyEscaping(body) { body in
            var work = ParallelWork(places: places, body: body)
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
    var tensors: [Tensor] = []
    for result in results {
        guard let result else {
            throw TorchError(operation: "parallel", message: "an item was not run")
        }
        tensors.append(try result.get())
    }
    return tensors
}

/// What the threads share; each writes to the places of its own items only.
private struct ParallelWork {
    let places: UnsafeMutableBufferPointer<Result<Tensor, TorchError>?>
    let body: (Int) throws(TorchError) -> Tensor

    func run(_ index: Int) {
        places[index] = Result { () throws(TorchError) in try body(index) }
    }
}
