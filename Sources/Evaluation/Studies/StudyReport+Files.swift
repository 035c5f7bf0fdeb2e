public import ImagePipeline
public import Storage
import Training

/// The table as JSON, as an image and as files.
extension StudyReport {
    /// The whole report as a JSON object, shares from 0 to 1.
    public var json: JSONValue {
        [
            "study": .string(name), "command": .string(command),
            "seeds": .array(seeds.map { .integer($0) }),
            "heads": .array(heads.map { .string($0.rawValue) }),
            "teachers": .array(
                teachers.map {
                    [
                        "path": .string($0.path), key(.both): .number($0.top1),
                        "count": .integer($0.count),
                    ]
                }
            ),
            "rows": .array(rows.map(json)),
        ]
    }

    private func json(_ row: Row) -> JSONValue {
        var object: JSONObject = [
            "name": .string(row.name), "changes": .array(row.changes.map { .string($0) }),
            "parameters": .integer(row.parameterCount),
        ]
        for head in heads {
            guard let spread = row.spread(of: head) else { continue }
            object[key(head)] = [
                "mean": .number(spread.mean), "sd": spread.deviation.map { .number($0) } ?? .null,
            ]
        }
        object["runs"] = .array(row.runs.map(json))
        return .object(object)
    }

    private func json(_ run: Run) -> JSONValue {
        var object: JSONObject = [
            "seed": .integer(run.seed), "folder": .string(run.folder),
            "command": .string(run.command),
        ]
        if let result = run.result {
            for head in Study.Head.allCases {
                object[key(head)] = result.best.of(head).map { .number($0) }
            }
            object["best_epoch"] = .integer(result.best.epoch)
            object["best_is_ema"] = .bool(result.best.isAverage)
            object["last_\(key(.both))"] = .number(result.last.top1)
            object["seconds"] = .number(result.seconds)
        }
        if let failure = run.failure { object["failure"] = .string(failure) }
        return .object(object)
    }

    private func key(_ head: Study.Head) -> String {
        let score = metric == .map ? "map" : "top1"
        return head == .both ? score : "\(head.rawValue)_\(score)"
    }

    /// The table as an image: a bar for each row and head, with its spread over the seeds.
    ///
    /// - Returns: The image, in colour.
    /// - Throws: `ImageError` where it would be too large.
    public func chart() throws(ImageError) -> Image {
        let heads = shownHeads
        let groups =
            teachers.map { teacher in
                let bar = BarChart.Bar(
                    series: heads.firstIndex(of: mainHead) ?? 0,
                    value: teacher.top1,
                    repeats: [],
                    spread: nil,
                    label: Self.percent(teacher.top1)
                )
                return BarChart.Group(name: "teacher \(teacher.path)", bars: [bar])
            }
            + rows.map { row in
                BarChart.Group(
                    name: row.name,
                    bars: heads.enumerated().compactMap { series, head in
                        row.spread(of: head).map { bar($0, series: series) }
                    }
                )
            }
        return try BarChart(
            title: "\(name): validation \(metric.title)",
            axis: "\(metric.title), %",
            legend: heads.map(title),
            groups: groups
        ).drawn()
    }

    private func bar(_ spread: Spread, series: Int) -> BarChart.Bar {
        BarChart.Bar(
            series: series,
            value: spread.mean,
            repeats: spread.values,
            spread: spread.deviation,
            // The font has no such sign.
            label: Self.percent(spread).replacing("±", with: "+-")
        )
    }

    /// Writes `table.md`, `table.csv`, `table.png` and `study.json`.
    ///
    /// - Parameter folder: The folder, which exists.
    /// - Throws: `StorageError` where a file cannot be written, `ImageError` for a table too large to draw.
    public func write(to folder: String) throws {
        try AtomicFile.write(markdown.utf8, to: folder + "/table.md")
        try AtomicFile.write(csv.utf8, to: folder + "/table.csv")
        try AtomicFile.write(try chart().encodedPNG(), to: folder + "/table.png")
        try AtomicFile.write((json.text() + "\n").utf8, to: folder + "/study.json")
    }
}
