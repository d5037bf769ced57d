// Mutated frames: each is answered with a value or an error, never a crash or a leak (the sanitizer preset watches).
// FOUNDRY_FUZZ_ROUNDS and FOUNDRY_FUZZ_SEED change how many and which.
#include "realtime/protocol/codec.h"
#include "realtime/protocol/frame.h"
#include "realtime/protocol/manager.h"
#include "tests/protocol/samples.h"

#include <QDir>
#include <QFile>
#include <QRandomGenerator>
#include <QTest>

using namespace foundry;
using namespace foundry::protocol;

namespace {

QByteArray mutate(QByteArray text, QRandomGenerator &random)
{
    static const QList<QByteArray> pieces{"null", "[]", "{}", "\"", "\\", "\xc3", "\xff", "1e999", "-9223372036854775809", "[\"$BigInt\",\"1\"]",
        "[\"$Undefined\",0]", ",", ":", "{\"body\":", "\\ud800", QByteArray(300, '['), QByteArray("\0", 1)};
    const int count = 1 + int(random.bounded(4));
    for (int i = 0; i < count && !text.isEmpty(); ++i) {
        const qsizetype at = random.bounded(text.size());
        switch (random.bounded(6)) {
        case 0: text.truncate(at); break;
        case 1: text[at] = char(random.bounded(256)); break;
        case 2: text.remove(at, 1 + random.bounded(20)); break;
        case 3: text.insert(at, pieces[random.bounded(pieces.size())]); break;
        case 4: text.insert(at, text.mid(random.bounded(text.size()), 1 + random.bounded(40))); break;
        default: std::swap(text[at], text[random.bounded(text.size())]); break;
        }
    }
    return text;
}

template <class T>
int check(const Result<T> &result)
{
    if (result.ok())
        return 1;
    if (result.error().group != QLatin1StringView("protocol") || result.error().code.isEmpty())
        qFatal("An error without group and code");
    return 0;
}

} // namespace

class tst_Fuzz : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void mutatedFrames()
    {
        const int rounds = qEnvironmentVariableIntValue("FOUNDRY_FUZZ_ROUNDS") ? qEnvironmentVariableIntValue("FOUNDRY_FUZZ_ROUNDS") : 60000;
        const quint32 seed = qEnvironmentVariableIsSet("FOUNDRY_FUZZ_SEED") ? quint32(qEnvironmentVariableIntValue("FOUNDRY_FUZZ_SEED")) : 20261122u;
        qInfo("seed %u, %d rounds", seed, rounds);
        QRandomGenerator random(seed);
        QList<QByteArray> seeds;
        const QDir golden(QStringLiteral(FOUNDRY_SOURCE_DIR "/tests/protocol/golden"));
        for (const QString &name : golden.entryList({QStringLiteral("*.json")})) {
            QFile file(golden.filePath(name));
            QVERIFY(file.open(QIODevice::ReadOnly));
            seeds.append(file.readAll().trimmed());
        }
        QVERIFY(seeds.size() > 20);
        seeds.append(encodeChangesPage(ChangesPage{QStringLiteral("g"), 1, true, samples::all(), {}, {}, 3}));
        seeds.append(R"({"body":{"tag":"Error","val":{"group":"g","code":"c","message":"m","metadata":{"a":[1]},"actionId":["$BigInt","3"]}}})");
        seeds.append(R"({"body":{"tag":"ActionResponse","val":{"id":["$BigInt","1"],"output":{"x":[1,2]}}}})");
        int good = 0;
        for (int i = 0; i < rounds; ++i) {
            const QByteArray text = mutate(seeds[random.bounded(seeds.size())], random);
            const auto frame = decodeServerFrame(text);
            good += check(frame);
            if (frame.ok()) {
                if (const auto *event = std::get_if<EventFrame>(&*frame))
                    check(decodeEventArgs(event->args));
                check(decodeServerFrame(encodeServerFrame(*frame))); // what we write we can read
            }
            good += check(decodeClientFrame(text));
            check(decodeEvent(text));
            check(decodeChangesPage(text));
            check(decodeActionBody(text));
            check(decodeOutputBody(text));
            check(decodeMetadata(text));
            check(decodeActors(text));
            check(unescapeExtensions(text));
            check(firstArgument(text));
            decodeErrorBody(text);
            switch (i % 4) {
            case 0: check(decodeValue<CreateTask>(text)); break;
            case 1: check(decodeValue<TaskSummary>(text)); break;
            case 2: check(decodeValue<TranscriptPage>(text)); break;
            default: check(decodeEntity(u"TranscriptEntry", u"1", {}, text)); break;
            }
        }
        QVERIFY(good > 0); // some mutations stay valid, else the seeds are wrong
    }
};

QTEST_GUILESS_MAIN(tst_Fuzz)
#include "tst_fuzz.moc"
