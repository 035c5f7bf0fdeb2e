/// A tensor's elements in a part of a file, as PyTorch lays them out: shape, strides, offset.
package struct StridedLayout {
    private let shape: [Int]
    private let strides: [Int]
    private let elementSize: Int

    /// The number of bytes that the tensor has when it is contiguous.
    package let byteCount: Int

    /// The bytes of the file from the first to the last element.
    package let span: Range<Int>

    /// Checks a layout; nil where a size is negative, or an element is outside the storage.
    ///
    /// - Parameters:
    ///   - shape: The size of every dimension.
    ///   - strides: The distance of neighbours in every dimension, in elements.
    ///   - offset: The place of the first element in the storage, in elements.
    ///   - elementSize: The size of an element in bytes.
    ///   - storage: The storage's bytes in the file.
    package init?(
        shape: [Int],
        strides: [Int],
        offset: Int,
        elementSize: Int,
        in storage: Range<Int>
    ) {
        guard shape.count == strides.count, offset >= 0, shape.allSatisfy({ $0 >= 0 }),
            strides.allSatisfy({ $0 >= 0 })
        else { return nil }
        var count = elementSize
        var last = offset
        for (size, stride) in Swift.zip(shape, strides) {
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            let (distance, isFar) = stride.multipliedReportingOverflow(by: max(size - 1, 0))
            let (sum, isFarther) = last.addingReportingOverflow(distance)
            guard !overflow, !isFar, !isFarther else { return nil }
            (count, last) = (product, sum)
        }
        let isEmpty = count == 0
        guard isEmpty || last < storage.count / elementSize else { return nil }
        // A dimension of 1 is never walked, and its stride may be any number.
        let walked = shape.indices.filter { shape[$0] != 1 }
        self.shape = walked.map { shape[$0] }
        self.strides = walked.map { strides[$0] }
        self.elementSize = elementSize
        byteCount = count
        let start = storage.lowerBound
        span =
            isEmpty
            ? start..<start : start + offset * elementSize..<start + (last + 1) * elementSize
    }

    /// Copies the elements row by row.
    ///
    /// - Parameters:
    ///   - source: The file.
    ///   - target: ``byteCount`` bytes.
    /// - Throws: ``StorageError`` when the bytes are no longer there.
    package func copy(
        from source: any ByteSource,
        into target: UnsafeMutableRawBufferPointer
    ) throws(StorageError) {
        guard target.count == byteCount else {
            throw StorageError.malformed(
                file: source.path,
                reason: "it has \(byteCount) bytes instead of \(target.count)"
            )
        }
        if byteCount == 0 { return }
        let (outer, run) = runs
        if outer == 0 { return try source.copy(from: span.lowerBound, into: target) }
        // One copy of all that lies between, unless most of that belongs to other tensors.
        if span.count <= 4 * byteCount + (1 << 20) {
            let between = try source.bytes(span)
            between.withUnsafeBytes { gather(from: $0, into: target, outer: outer, run: run) }
        } else {
            var done = 0
            var failure: StorageError?
            visit(outer) { place in
                guard failure == nil else { return }
                do throws(StorageError) {
                    try source.copy(
                        from: span.lowerBound + place * elementSize,
                        into: UnsafeMutableRawBufferPointer(rebasing: target[done..<done + run])
                    )
                } catch { failure = error }
                done += run
            }
            if let failure { throw failure }
        }
    }

    /// How many of the leading dimensions have to be walked, and the bytes of a run behind them.
    private var runs: (outer: Int, bytes: Int) {
        var run = 1
        var outer = shape.count
        while outer > 0, strides[outer - 1] == run {
            run *= shape[outer - 1]
            outer -= 1
        }
        return (outer, run * elementSize)
    }

    private func gather(
        from bytes: UnsafeRawBufferPointer,
        into target: UnsafeMutableRawBufferPointer,
        outer: Int,
        run: Int
    ) {
        guard let from = bytes.baseAddress, let to = target.baseAddress else { return }
        var done = 0
        visit(outer) { place in
            (to + done).copyMemory(from: from + place * elementSize, byteCount: run)
            done += run
        }
    }

    /// Calls `body` with the place of each run, in elements from the first.
    private func visit(_ outer: Int, _ body: (Int) -> Void) {
        var index = [Int](repeating: 0, count: outer)
        var place = 0
        while true {
            body(place)
            var dimension = outer - 1
            while dimension >= 0 {
                index[dimension] += 1
                place += strides[dimension]
                if index[dimension] < shape[dimension] { break }
                place -= strides[dimension] * shape[dimension]
                index[dimension] = 0
                dimension -= 1
            }
            if dimension < 0 { return }
        }
    }
}
