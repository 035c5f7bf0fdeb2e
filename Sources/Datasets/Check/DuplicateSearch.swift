import ImagePipeline

/// Groups images that are the same, and images that look the same.
///
/// Equal files are found by a number of their content and then compared byte by byte. Look-alikes are found by their
/// perceptual hashes (``HammingIndex``) and then compared by their thumbnails. An image joins the group of the first
/// image that it resembles, so that a chain of small changes does not tie a whole film together. The work grows with
/// the number of images, not with its square, and does not depend on workers.
struct DuplicateSearch {
    let facts: [ImageFacts]
    let store: ThumbnailStore
    /// Whether two images, by their places, are equal byte for byte.
    let areEqual: (Int, Int) -> Bool

    /// The most bits in which the hashes of look-alikes differ.
    static let distance = 6
    /// How much their thumbnails must look the same, 0 to 1; tiny images have little detail.
    ///
    /// Among 80,000 pairs of different photographs none was above 0.88; copies in half the size, of JPEG quality 30, 15 %
    /// brighter, or with 2 % cut off at each side were above 0.95 (all but a few of the last).
    static let similarity = 0.93
    static let similarityOfTiny = 0.985
    private static let tinySide: Int32 = 64
    /// Maximum number of candidates compared with one image, which bounds the work on data that is all alike.
    private static let candidateLimit = 64

    /// Groups of two and more places, each in ascending order.
    struct Groups {
        var equal: [[Int]] = []
        /// Groups that look the same, with one place for each group of equal ones.
        var alike: [[Int]] = []
    }

    func run() -> Groups {
        var groups = Groups()
        let (equal, isCopy) = equalGroups()
        groups.equal = equal
        groups.alike = alikeGroups(facts.indices.filter { facts[$0].canBeCompared && !isCopy[$0] })
        return groups
    }

    /// The groups of equal files, and which places repeat an earlier one.
    private func equalGroups() -> (groups: [[Int]], isCopy: [Bool]) {
        var isCopy = [Bool](repeating: false, count: facts.count)
        var groups: [[Int]] = []
        let order = facts.indices.filter { facts[$0].isDecoded }.sorted {
            (facts[$0].content, $0) < (facts[$1].content, $1)
        }
        for run in Self.runs(of: order, by: { facts[$0].content }) where run.count > 1 {
            // Different files with one number are all but impossible; they would be groups of their own.
            var own: [[Int]] = []
            for place in run {
                if let found = own.firstIndex(where: { areEqual($0[0], place) }) {
                    own[found].append(place)
                    isCopy[place] = true
                } else {
                    own.append([place])
                }
            }
            groups += own.filter { $0.count > 1 }
        }
        return (groups.sorted { $0[0] < $1[0] }, isCopy)
    }

    private func alikeGroups(_ places: [Int]) -> [[Int]] {
        // The first place of the group that each place joined: itself at first.
        var leaders = Array(facts.indices)
        let order = places.sorted { (facts[$0].bits, $0) < (facts[$1].bits, $1) }
        for run in Self.runs(of: order, by: { facts[$0].bits }) where run.count > 1 {
            var own: [Int] = []
            for place in run {
                if let leader = own.prefix(Self.candidateLimit).first(where: { areAlike($0, place) }
                ) {
                    leaders[place] = leader
                } else {
                    own.append(place)
                }
            }
        }
        let roots = places.filter { leaders[$0] == $0 }
        let index = HammingIndex(roots.map { facts[$0].bits })
        for (position, place) in roots.enumerated() {
            var tried: [Int] = []
            index.forEachNear(position, within: Self.distance) { other in
                let candidate = roots[other]
                guard leaders[candidate] == candidate, !tried.contains(candidate) else {
                    return true
                }
                tried.append(candidate)
                if areAlike(candidate, place) {
                    leaders[place] = min(leaders[place], candidate)
                }
                return tried.count < Self.candidateLimit
            }
        }
        var members: [Int: [Int]] = [:]
        for place in places {
            // What followed this image before it joined another follows that one.
            let leader = leaders[leaders[place]]
            if leader != place { members[leader, default: [leader]].append(place) }
        }
        return members.values.map { $0.sorted() }.sorted { $0[0] < $1[0] }
    }

    private func areAlike(_ left: Int, _ right: Int) -> Bool {
        let (one, other) = (facts[left], facts[right])
        let isTiny = min(one.width, one.height, other.width, other.height) < Self.tinySide
        // A crop of other proportions is another image.
        let ratio =
            Double(one.width) * Double(other.height) / (Double(one.height) * Double(other.width))
        guard (0.8...1.25).contains(ratio) else { return false }
        let similarity = PerceptualHash.similarity(store.read(left)[...], store.read(right)[...])
        return similarity >= (isTiny ? Self.similarityOfTiny : Self.similarity)
    }

    /// Neighbours in a list that share a key.
    private static func runs<Key: Equatable>(
        of list: [Int],
        by key: (Int) -> Key
    ) -> [ArraySlice<Int>] {
        var runs: [ArraySlice<Int>] = []
        var start = 0
        for place in list.indices
        where place + 1 == list.count || key(list[place]) != key(list[place + 1]) {
            runs.append(list[start...place])
            start = place + 1
        }
        return runs
    }
}
