/// The nearest neighbours so far of some queries: for each a heap whose root is the farthest of them.
///
/// Places must come in ascending order: of equal similarities the one that came first stays.
struct NeighbourHeaps {
    private let count: Int
    private let k: Int
    private var similarities: [Float]
    private var places: [Int]
    /// The neighbours that every heap has, up to `k`.
    private var filled = 0

    init(count: Int, k: Int) {
        self.count = count
        self.k = k
        similarities = Array(repeating: 0, count: count * k)
        places = Array(repeating: 0, count: count * k)
    }

    /// Offers similarities to all heaps.
    ///
    /// - Parameters:
    ///   - values: For each query its similarities to the next places, row by row.
    ///   - firstPlace: The place of the first column.
    mutating func add(_ values: UnsafeBufferPointer<Float>, firstPlace: Int) {
        guard count > 0, values.count >= count else { return }
        let columns = values.count / count
        let (rows, filled, k) = (count, filled, k)
        similarities.withUnsafeMutableBufferPointer { similarities in
            places.withUnsafeMutableBufferPointer { places in
                for row in 0..<rows {
                    let own = (row * k)..<((row + 1) * k)
                    var heap = Heap(
                        similarities: .init(rebasing: similarities[own]),
                        places: .init(rebasing: places[own]),
                        filled: filled
                    )
                    let line = (row * columns)..<((row + 1) * columns)
                    heap.add(.init(rebasing: values[line]), firstPlace: firstPlace)
                }
            }
        }
        self.filled = min(k, filled + columns)
    }

    /// Appends all places and similarities, query by query, each query's nearest first.
    func append(to allPlaces: inout [Int], _ allSimilarities: inout [Float]) {
        for row in 0..<count {
            let own = (row * k)..<((row + 1) * k)
            let order = own.sorted {
                (similarities[$1], places[$0]) < (similarities[$0], places[$1])
            }
            for index in order {
                allPlaces.append(places[index])
                allSimilarities.append(similarities[index])
            }
        }
    }
}

/// One query's neighbours so far.
private struct Heap {
    let similarities: UnsafeMutableBufferPointer<Float>
    let places: UnsafeMutableBufferPointer<Int>
    var filled: Int

    mutating func add(_ values: UnsafeBufferPointer<Float>, firstPlace: Int) {
        var index = 0
        while filled < similarities.count, index < values.count {
            insert(values[index], firstPlace + index)
            index += 1
        }
        guard filled == similarities.count, let address = values.baseAddress else { return }
        var farthest = similarities[0]
        // Nearly all are farther than the heap's root: sixteen are passed over at once.
        while index + 16 <= values.count {
            let sixteen = UnsafeRawPointer(address + index).loadUnaligned(as: SIMD16<Float>.self)
            if any(sixteen .> farthest) {
                for lane in 0..<16 where sixteen[lane] > farthest {
                    replaceRoot(sixteen[lane], firstPlace + index + lane)
                    farthest = similarities[0]
                }
            }
            index += 16
        }
        while index < values.count {
            if values[index] > similarities[0] { replaceRoot(values[index], firstPlace + index) }
            index += 1
        }
    }

    private mutating func insert(_ similarity: Float, _ place: Int) {
        var child = filled
        filled += 1
        similarities[child] = similarity
        places[child] = place
        while child > 0 {
            let parent = (child - 1) / 2
            guard isFarther(child, parent) else { return }
            exchange(child, parent)
            child = parent
        }
    }

    private func replaceRoot(_ similarity: Float, _ place: Int) {
        similarities[0] = similarity
        places[0] = place
        var parent = 0
        while true {
            var farthest = parent
            let (left, right) = (2 * parent + 1, 2 * parent + 2)
            if left < filled, isFarther(left, farthest) { farthest = left }
            if right < filled, isFarther(right, farthest) { farthest = right }
            guard farthest != parent else { return }
            exchange(parent, farthest)
            parent = farthest
        }
    }

    private func isFarther(_ one: Int, _ other: Int) -> Bool {
        similarities[one] < similarities[other]
            || (similarities[one] == similarities[other] && places[one] > places[other])
    }

    private func exchange(_ one: Int, _ other: Int) {
        similarities.swapAt(one, other)
        places.swapAt(one, other)
    }
}
