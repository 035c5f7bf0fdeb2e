/// How many images of a set to use.
public enum DatasetLimit: Sendable, Equatable {
    /// The first ones.
    case first(Int)
    /// Some drawn at random so that every class keeps its share.
    case stratified(Int, seed: UInt64)
}
