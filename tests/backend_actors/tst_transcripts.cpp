// What a client sees of a session's transcript and queue beside its turns: pages both ways, large outputs in pieces, prompts
// that wait, a tool's work before its turn is over, an agent that no signal but the last ends. Real agent processes.
#include "tests/backend_actors/domainharness.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include <csignal>

using namespace foundry;
using foundry::test::DomainHarness;

class tst_Transcripts : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_host = std::make_unique<DomainHarness>();
        const QString repository = m_host->git.makeRepository(QStringLiteral("project"));
        m_host->start();
        m_repo = m_host->addRepository(repository);
    }
    void cleanup() { m_host.reset(); }

    void pagesBothWays();
    void largePagesEndEarly();
    void largeOutputsAreBlobs();
    void waitingPromptsKeepTheirOrder();
    void toolsShowBeforeTheTurnEnds();
    void deafAgentHoldsNothingUp();
    void streamsInBatchesAtOffsets();
    void planChangesInItsPlace();

private:
    DomainHarness::Made createWith(const QString &mode, const QString &prompt)
    {
        const AgentId agent = m_host->addScriptedAgent(mode);
        return m_host->createTask(m_repo, prompt, [&](CreateTask &task) { task.agent = agent; });
    }
    QueueId send(const DomainHarness::Made &made, const QString &text)
    {
        SendMessage message;
        message.queueId = makeId<QueueId>();
        message.sessionId = made.session;
        message.prompt.text = text;
        if (auto sent = m_host->command(made.address, QStringLiteral("sendMessage"), message); !sent)
            qFatal("%ls", qUtf16Printable(sent.error().message));
        return message.queueId;
    }
    TranscriptPage page(const DomainHarness::Made &made, std::optional<qint64> before, std::optional<qint64> after, qint64 limit)
    {
        auto answer = m_host->call(made.address, QStringLiteral("getTranscript"), protocol::encodeArgs(GetTranscript{made.session, before, after, limit}));
        auto decoded = answer ? protocol::decodeValue<TranscriptPage>(*answer) : Result<TranscriptPage>(answer.error());
        if (!decoded)
            qFatal("%ls", qUtf16Printable(decoded.error().message));
        return *decoded;
    }
    QList<TranscriptEntry> entries(const DomainHarness::Made &made, EntryKind kind)
    {
        QList<TranscriptEntry> found;
        for (const TranscriptEntry &entry : m_host->transcript(made.address, made.session)) {
            if (entry.kind == kind)
                found.append(entry);
        }
        return found;
    }

    std::unique_ptr<DomainHarness> m_host;
    RepoId m_repo;
};

void tst_Transcripts::pagesBothWays()
{
    const auto made = createWith(QStringLiteral("toolupdates"), QStringLiteral("turn 1"));
    send(made, QStringLiteral("turn 2"));
    send(made, QStringLiteral("turn 3"));
    QTRY_COMPARE_WITH_TIMEOUT(entries(made, EntryKind::TurnEnd).size(), 3, 20000);
    const TranscriptPage all = page(made, {}, {}, 500);
    QVERIFY(all.count >= 15);
    QCOMPARE(all.entries.size(), all.count);
    for (qint64 i = 0; i < all.count; ++i)
        QCOMPARE(all.entries.at(i).index, i);
    // What was told of two calls in pieces is two entries in each turn, as they were when it ended.
    const auto calls = entries(made, EntryKind::ToolCall);
    QCOMPARE(calls.size(), 6);
    for (const TranscriptEntry &call : calls) // the second one is left open
        QCOMPARE(call.tool->status, call.tool->callId == QLatin1StringView("t1") ? QStringLiteral("completed") : QStringLiteral("failed"));
    // From the end up, and from the start down: the same entries, each once, each page in order.
    QList<TranscriptEntry> up;
    for (std::optional<qint64> before;;) {
        const TranscriptPage piece = page(made, before, {}, 4);
        QVERIFY(piece.entries.size() <= 4);
        QCOMPARE(piece.count, all.count);
        if (piece.entries.isEmpty())
            break;
        up = piece.entries + up;
        before = piece.entries.first().index;
    }
    QVERIFY(up == all.entries);
    QList<TranscriptEntry> down;
    for (qint64 after = -1;;) {
        const TranscriptPage piece = page(made, {}, after, 4);
        QVERIFY(piece.entries.size() <= 4);
        if (piece.entries.isEmpty())
            break;
        down += piece.entries;
        after = piece.entries.last().index;
    }
    QVERIFY(down == all.entries);
}

// A page that would be too large for a message leaves out its far end; who pages on misses nothing, either way.
void tst_Transcripts::largePagesEndEarly()
{
    const auto made = createWith(QStringLiteral("ok"), QString());
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Ready));
    for (int i = 0; i < 9; ++i) // each is said, and said again by the agent
        send(made, QString(40000, QLatin1Char(char('a' + i))));
    QTRY_COMPARE_WITH_TIMEOUT(entries(made, EntryKind::TurnEnd).size(), 9, 40000);
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    const qint64 count = page(made, {}, {}, 1).count;
    QList<qint64> up;
    int pages = 0;
    for (std::optional<qint64> before; !before || *before > 0; ++pages) {
        const TranscriptPage piece = page(made, before, {}, 500);
        QVERIFY(protocol::encodeValue(piece).size() < 512 * 1024);
        QVERIFY(!piece.entries.isEmpty());
        QCOMPARE(piece.entries.last().index, before.value_or(count) - 1);
        for (auto entry = piece.entries.crbegin(); entry != piece.entries.crend(); ++entry)
            up.prepend(entry->index);
        before = piece.entries.first().index;
    }
    QVERIFY2(pages > 1, qPrintable(QString::number(pages)));
    QCOMPARE(up.size(), count);
    qint64 after = -1;
    while (after < count - 1) {
        const TranscriptPage piece = page(made, {}, after, 500);
        QVERIFY(protocol::encodeValue(piece).size() < 512 * 1024);
        QVERIFY(!piece.entries.isEmpty());
        for (const TranscriptEntry &entry : piece.entries)
            QCOMPARE(entry.index, ++after);
    }
}

// What a program printed is not in the row that every client gets, but beside it, whole, also for the next host.
void tst_Transcripts::largeOutputsAreBlobs()
{
    const auto made = m_host->createTask(m_repo, QStringLiteral("/run seq 1 20000"));
    QVERIFY(m_host->answerPermission(made, QStringLiteral("allow_once")));
    QTRY_COMPARE_WITH_TIMEOUT(entries(made, EntryKind::TurnEnd).size(), 1, 20000);
    m_host->stop();
    m_host->start();
    QByteArray wanted;
    for (int i = 1; i <= 20000; ++i)
        wanted += QByteArray::number(i) + '\n';
    qsizetype blobs = 0;
    for (const TranscriptEntry &entry : entries(made, EntryKind::ToolCall)) {
        QVERIFY(protocol::encodeValue(entry).size() < 32 * 1024);
        for (const ToolContent &content : entry.tool->content) {
            const auto *text = std::get_if<ToolText>(&content);
            if (!text || !text->text.blob)
                continue;
            ++blobs;
            const BlobRef blob = *text->text.blob;
            QVERIFY(text->text.text.isEmpty());
            QVERIFY(!blob.preview.isEmpty() && blob.preview.size() < 16 * 1024);
            QByteArray bytes;
            while (bytes.size() < blob.size) {
                auto answer = m_host->call(made.address, QStringLiteral("getBlob"), protocol::encodeArgs(GetBlob{blob.blobId, bytes.size(), 50000}));
                QVERIFY2(answer, answer ? "" : qPrintable(answer.error().message));
                const auto piece = protocol::decodeValue<BlobPage>(*answer);
                QVERIFY(piece && !piece->data.isEmpty() && piece->size == blob.size);
                bytes += piece->data;
            }
            QCOMPARE(bytes.size(), blob.size);
            QVERIFY2(bytes.contains(wanted), bytes.left(200).constData());
        }
    }
    QCOMPARE(blobs, 1);
}

// What is changed or dropped while it waits is delivered so or not at all, in the order in which it was sent, each once.
void tst_Transcripts::waitingPromptsKeepTheirOrder()
{
    const auto made = createWith(QStringLiteral("permission"), QStringLiteral("first"));
    QTRY_COMPARE_WITH_TIMEOUT(entries(made, EntryKind::Permission).size(), 1, 20000);
    const QueueId second = send(made, QStringLiteral("second"));
    const QueueId third = send(made, QStringLiteral("third"));
    send(made, QStringLiteral("fourth"));
    QVERIFY(m_host->command(made.address, QStringLiteral("editQueued"), EditQueued{{}, second, Prompt{QStringLiteral("second, edited")}}).ok());
    QVERIFY(m_host->command(made.address, QStringLiteral("dropQueued"), DropQueued{{}, third}).ok());
    for (int turn = 1; turn <= 3; ++turn) {
        // The list of what waits for people may still have the one before.
        QVERIFY(QTest::qWaitFor([&] { return m_host->answerPermission(made, QStringLiteral("allow_once"), 1000); }, 20000));
        QTRY_COMPARE_WITH_TIMEOUT(entries(made, EntryKind::TurnEnd).size(), turn, 20000);
    }
    // What was delivered is out of reach.
    QVERIFY(!m_host->command(made.address, QStringLiteral("editQueued"), EditQueued{{}, second, Prompt{QStringLiteral("too late")}}).ok());
    QVERIFY(!m_host->command(made.address, QStringLiteral("dropQueued"), DropQueued{{}, second}).ok());
    QStringList delivered;
    for (const TranscriptEntry &entry : entries(made, EntryKind::UserMessage))
        delivered.append(entry.text);
    QCOMPARE(delivered, (QStringList{QStringLiteral("first"), QStringLiteral("second, edited"), QStringLiteral("fourth")}));
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    QVERIFY(m_host->rows<QueuedPrompt>(made.address, QStringLiteral("task")).isEmpty());
    // Each answer stands where it was asked for.
    const auto asked = entries(made, EntryKind::Permission);
    QCOMPARE(asked.size(), 3);
    for (const TranscriptEntry &entry : asked)
        QCOMPARE(entry.permission->answer.value_or(QString()), QStringLiteral("yes"));
}

void tst_Transcripts::toolsShowBeforeTheTurnEnds()
{
    const auto made = m_host->createTask(m_repo, QStringLiteral("/write ONE.md\n```\none\n```\n/run true"));
    QVERIFY(m_host->answerPermission(made, QStringLiteral("allow_once")));
    QVERIFY(QTest::qWaitFor([&] {
        const auto changed = m_host->rows<FileChange>(made.address, QStringLiteral("changes"));
        return std::any_of(changed.begin(), changed.end(), [](const FileChange &file) { return file.id == QLatin1StringView("untracked:ONE.md"); });
    }, 20000));
    QVERIFY(entries(made, EntryKind::TurnEnd).isEmpty()); // it asks for the program
}

// It ignores cancels and SIGTERM: no command waits for it, another session works, and it is ended all the same.
void tst_Transcripts::deafAgentHoldsNothingUp()
{
    const auto made = createWith(QStringLiteral("deaf"), QStringLiteral("listen"));
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Running));
    qint64 pid = 0;
    for (const Stage &stage : m_host->rows<Stage>(made.address, QStringLiteral("task"))) {
        if (stage.id.endsWith(QLatin1StringView("/agent_starting")))
            pid = stage.message.value_or(QString()).section(QLatin1Char(' '), 1).toLongLong();
    }
    QVERIFY(pid > 1 && ::kill(pid_t(pid), 0) == 0);
    ::kill(pid_t(pid), SIGTERM);
    send(made, QStringLiteral("waits"));
    QVERIFY(m_host->command(made.address, QStringLiteral("cancelTurn"), CancelTurn{{}, made.session}).ok());
    DomainHarness::Made other = made;
    other.session = makeId<SessionId>();
    CreateSession create;
    create.sessionId = other.session;
    create.agent = AgentId(QStringLiteral("runner"));
    QVERIFY(m_host->command(made.address, QStringLiteral("createSession"), create).ok());
    QVERIFY(m_host->waitForStatus(other, SessionStatus::Ready));
    QVERIFY(m_host->command(made.address, QStringLiteral("closeSession"), CloseSession{{}, made.session}).ok());
    QVERIFY(m_host->session(made.address, made.session)->closedAt.has_value());
    QTRY_VERIFY_WITH_TIMEOUT(::kill(pid_t(pid), 0) != 0, 30000);
    QVERIFY(entries(made, EntryKind::UserMessage).size() == 1); // what waited was not delivered to anybody
}

// While the agent speaks: one event for each batch of at most 50 ms, each word at the offset where the text ended.
void tst_Transcripts::streamsInBatchesAtOffsets()
{
    const auto made = createWith(QStringLiteral("stream"), QString());
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Ready));
    const QString topic = QStringLiteral("session/") + made.session.value;
    m_host->listen(made.address, topic);
    m_host->ear.keep(topic);
    send(made, QStringLiteral("speak"));
    QTRY_COMPARE_WITH_TIMEOUT(entries(made, EntryKind::TurnEnd).size(), 1, 30000);
    QTRY_VERIFY(!m_host->ear.frames().isEmpty() && m_host->ear.frames().constLast().contains("turn_end"));
    QMap<qint64, QByteArray> texts;
    QList<Millis> times;
    qint64 revision = 0;
    for (const QByteArray &frame : m_host->ear.frames()) {
        const QJsonObject val = QJsonDocument::fromJson(frame).object().value(QLatin1StringView("body")).toObject().value(QLatin1StringView("val")).toObject();
        const auto event = protocol::decodeEvent(QJsonDocument(val.value(QLatin1StringView("args")).toArray().at(0).toObject()).toJson());
        QVERIFY2(event, event ? "" : qPrintable(event.error().message));
        QVERIFY(revision == 0 || event->revision == revision + 1);
        revision = event->revision;
        for (const Entity &entity : event->upserts) {
            if (const auto *entry = std::get_if<TranscriptEntry>(&entity))
                texts[entry->index] = entry->text.toUtf8();
        }
        for (const TextAppend &append : event->appends) {
            QCOMPARE(append.offset, texts.value(append.index).size());
            texts[append.index] += append.text.toUtf8();
        }
        if (!event->appends.isEmpty())
            times.append(event->at);
    }
    for (const TranscriptEntry &entry : m_host->transcript(made.address, made.session))
        QCOMPARE(QString::fromUtf8(texts.value(entry.index)), entry.text);
    QVERIFY(texts.value(1).endsWith("wört499 "));
    const qint64 took = times.last() - times.first();
    QVERIFY2(times.size() <= took / 50 + 3, qPrintable(QStringLiteral("%1 batches in %2 ms").arg(times.size()).arg(took)));
    QVERIFY2(times.size() >= took / 200, qPrintable(QStringLiteral("%1 batches in %2 ms").arg(times.size()).arg(took)));
}

// Until its turn ends a plan is one entry, whatever comes between; the next turn has one of its own.
void tst_Transcripts::planChangesInItsPlace()
{
    const auto made = createWith(QStringLiteral("plans"), QStringLiteral("one"));
    QTRY_COMPARE_WITH_TIMEOUT(entries(made, EntryKind::TurnEnd).size(), 1, 20000);
    const auto first = entries(made, EntryKind::Plan);
    QCOMPARE(first.size(), 1);
    QCOMPARE(first.first().index, 1); // before the words that came between
    QCOMPARE(first.first().plan.size(), 2);
    QCOMPARE(first.first().plan.first().status, QStringLiteral("completed"));
    send(made, QStringLiteral("two"));
    QTRY_COMPARE_WITH_TIMEOUT(entries(made, EntryKind::TurnEnd).size(), 2, 20000);
    const auto both = entries(made, EntryKind::Plan);
    QCOMPARE(both.size(), 2);
    QCOMPARE(both.first().rev, first.first().rev);
    QCOMPARE(both.last().turn, first.first().turn + 1);
}

QTEST_GUILESS_MAIN(tst_Transcripts)
#include "tst_transcripts.moc"
