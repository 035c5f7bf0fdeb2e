import Storage
import Testing

@Suite struct JSONTests {
    func parse(_ text: String) throws -> JSONValue { try JSONValue.parse(Array(text.utf8)) }

    @Test func readsEveryKind() throws {
        let value = try parse(
            #" {"a": [1, -2.5e1, true, false, null], "b": {"c": "x\n\u00e9\ud83d\ude00\/"}, "d": []} "#
        )
        let expected: JSONValue = [
            "a": [1, -25.0, true, false, .null], "b": ["c": "x\né😀/"], "d": [],
        ]
        #expect(value == expected)
    }

    @Test func keepsOrderAndRoundTrips() throws {
        let text = #"{"z":1,"a":{"y":[1.5,"q\"\\\u0001"],"b":{}},"m":1e-06}"#
        let value = try parse(text)
        #expect(value.objectValue?.keys == ["z", "a", "m"])
        #expect(value.text(isIndented: false) == text)
        #expect(try parse(value.text()) == value)
        #expect(value.text().hasPrefix("{\n  \"z\": 1,\n  \"a\": {\n    \"y\": [\n      1.5,"))
    }

    @Test func integersStayExact() throws {
        #expect(try parse("9223372036854775807") == .integer(.max))
        #expect(try parse("-9223372036854775808") == .integer(.min))
        #expect(try parse("9223372036854775808") == .number(9_223_372_036_854_775_808))
        #expect(try parse("1e300").intValue == nil)
        #expect(try parse("3.0").intValue == 3)
    }

    @Test(arguments: [
        "", " ", "{", "[", "[1", "[1,", "[1,]", "{,}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}",
        "nul",
        "truefalse", "1 2", "01", "-", "1.", ".5", "1e", "1e+", "+1", "NaN", "Infinity",
        "-Infinity", "1e999",
        "-1e999", "\"", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u12G4\"", "\"\\ud800\"",
        "\"\\ud800\\n\"",
        "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"a\nb\"", "{\"a\":1,\"a\":2}", "'a'", "[1}",
        "{\"a\":1]",
    ])
    func refuses(_ text: String) {
        #expect(throws: JSONError.self) { try JSONValue.parse(Array(text.utf8)) }
    }

    @Test func refusesBadUTF8() {
        #expect(throws: JSONError.self) { try JSONValue.parse([0x22, 0xFF, 0x22]) }
        #expect(throws: JSONError.self) { try JSONValue.parse([0x22, 0xC3, 0x22]) }
    }

    @Test func boundsDepthAndCount() throws {
        let deep = [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)
        #expect(throws: JSONError.self) { try JSONValue.parse(deep) }
        let fits = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        #expect(throws: Never.self) { try parse(fits) }
        #expect(throws: JSONError.self) { try parse("[\(fits)[]]") }
        #expect(throws: JSONError.self) {
            try JSONValue.parse(Array("[1,2,3]".utf8), maximumCount: 3)
        }
    }

    @Test func objectsReplaceAppendAndRemove() {
        var object: JSONObject = ["a": 1, "b": 2]
        object["a"] = 3
        object["c"] = 4
        object["b"] = nil
        #expect(object.keys == ["a", "c"])
        object.merge(["c": 5, "d": .null])
        #expect(object == ["a": 3, "c": 5, "d": .null])
        #expect(object["d"] == .null)
    }
}
