import Foundation
import TestSupport
import Testing
import VisionModels

@Suite("Configurations of transformers", .tags(.unit))
struct ConfigurationTests {
    // As the first version wrote it.
    static let old = """
        {"depth":2,"dropPathRate":0.1,"dropRate":0,"embedDim":8,"imageHeight":12,"imageWidth":8,"inChannels":1,\
        "isDistilled":true,"layerNormEps":1e-06,"mlpRatio":4,"numClasses":5,"numHeads":2,"patchSize":4,"qkvBias":true}
        """

    @Test("JSON of the first version is read, with the values that it meant")
    func oldJSON() throws {
        let found = try JSONDecoder().decode(ViTConfiguration.self, from: Data(Self.old.utf8))
        let expected = ViTConfiguration(
            imageHeight: 12,
            imageWidth: 8,
            patchSize: 4,
            inChannels: 1,
            numClasses: 5,
            embedDim: 8,
            depth: 2,
            numHeads: 2,
            isDistilled: true,
            layerNormEps: 1e-6,
            dropPathRate: 0.1
        )
        #expect(found == expected)
        #expect(found.attnDropRate == 0 && found.initValues == nil && !found.noEmbedClass)
    }

    @Test("What is written is read back", arguments: [nil, 1e-6])
    func roundTrip(initValues: Double?) throws {
        let configuration = ViTConfiguration(
            numClasses: 0,
            layerNormEps: 1e-12,
            dropRate: 0.1,
            attnDropRate: 0.2,
            initValues: initValues,
            noEmbedClass: true
        )
        let data = try JSONEncoder().encode(configuration)
        #expect(try JSONDecoder().decode(ViTConfiguration.self, from: data) == configuration)
    }

    @Test("A key of the first version may not be absent")
    func missingKey() {
        let text = Self.old.replacing("\"depth\":2,", with: "")
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(ViTConfiguration.self, from: Data(text.utf8))
        }
    }

    @Test("Positions are for the patches alone, or for all tokens")
    func positions() {
        var configuration = ViTConfiguration(
            imageHeight: 32,
            imageWidth: 48,
            isDistilled: true,
            layerNormEps: 1e-6
        )
        #expect(configuration.grid == PatchGrid(height: 2, width: 3))
        #expect(configuration.positionCount == 8)
        configuration.noEmbedClass = true
        #expect(configuration.positionCount == 6)
    }

    @Test("Grids: squares are recognised, nonsense has no patches")
    func grids() {
        #expect(PatchGrid.square(of: 196) == PatchGrid(height: 14, width: 14))
        #expect(PatchGrid.square(of: 195) == nil && PatchGrid.square(of: 0) == nil)
        #expect(PatchGrid.square(of: -4) == nil && PatchGrid.square(of: .max) == nil)
        #expect(PatchGrid(height: -1, width: -1).count == 0)
        #expect(PatchGrid(height: .max, width: 2).count == 0)
        #expect("\(PatchGrid(height: 2, width: 3))" == "2×3")
    }
}
