/// The names of element types, all that the reading of configurations needs of libtorch.
public enum DType: String, Sendable, Codable, CaseIterable {
    case float32, float16, bfloat16, float64, int64, int32, int16, int8, uint8, bool
}
