import TestSupport
import Testing
import Torch

/// Expects a tensor to have the shape and, within a tolerance, the values of a fixture's, which must be there.
@ModelActor
func expectTensor(
    _ found: Tensor,
    _ expected: Tensor?,
    _ name: String,
    tolerance: Float = 1e-5,
    location: SourceLocation = #_sourceLocation
) throws {
    let expected = try #require(expected, sourceLocation: location)
    try expectClose(
        shape: found.shape,
        found.floats(),
        expectedShape: expected.shape,
        expected.floats(),
        tolerance: tolerance,
        name,
        location: location
    )
}
