#include "backend/actors/changesjob.h"

#include "backend/store/database.h"
#include "realtime/protocol/codec.h"

#include <QDateTime>
#include <QDir>
#include <QLoggingCategory>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcChanges, "foundry.actors.changes")

namespace {

constexpr int changesSlowMs = 300;
constexpr qint64 changesMostDiffs = 200; // pages of at most 400 KiB
constexpr qsizetype changesMostFetches = 200;

ChangesHeader changesHeader(ActorContext &context)
{
    auto entity = context.row(ChangesJob::topic(), QStringLiteral("ChangesHeader"), QStringLiteral("changes"));
    if (entity) {
        if (auto *header = std::get_if<ChangesHeader>(&*entity))
            return *header;
    }
    return {};
}

} // namespace

ChangesJob::ChangesJob(ActorContext &context, TaskStore &store, GitEnvironment git, GitLane &lane, Events events)
    : m_context(context)
    , m_store(store)
    , m_git(std::move(git))
    , m_lane(lane)
    , m_events(std::move(events))
    , m_rows(context, topic())
    , m_timer(new QTimer(context.owner()))
    , m_slow(new QTimer(context.owner()))
{
    m_timer->setSingleShot(true);
    m_slow->setSingleShot(true);
    QObject::connect(m_timer, &QTimer::timeout, m_timer, [this] { run(); });
    QObject::connect(m_slow, &QTimer::timeout, m_slow, [this] {
        const auto marked = m_context.transaction([this](Transaction &tx) -> Result<> {
            tx.setCause(Cause{QStringLiteral("workflow")});
            ask(tx);
            return Unit{};
        });
        Q_UNUSED(marked); // a storage that fails is told by the end of the run
    });
}

QString ChangesJob::schema()
{
    return QStringLiteral("CREATE TABLE diffs (key TEXT PRIMARY KEY, page TEXT NOT NULL) WITHOUT ROWID;");
}

void ChangesJob::request(int delayMs)
{
    const auto task = m_store.task();
    if (!task || !task->workTree)
        return;
    if (m_running || m_writing) {
        m_again = true;
        return;
    }
    int delay = delayMs;
    if (delayMs > 0 && m_rest.isValid())
        delay = qMax(delay, int(m_restMs - m_rest.elapsed()));
    if (!m_timer->isActive() || m_timer->remainingTime() > delay)
        m_timer->start(delay);
}

ChangesHeader ChangesJob::ask(Transaction &tx)
{
    ChangesHeader header = changesHeader(m_context);
    header.refreshing = true;
    tx.put(topic(), header);
    return changesHeader(m_context);
}

void ChangesJob::placeGone(Transaction &tx)
{
    ChangesHeader header = changesHeader(m_context);
    if (!header.refreshing)
        return;
    header.refreshing = false;
    tx.put(topic(), header);
}

QString ChangesJob::base() const
{
    const QString named = m_store.creation()->baseBranch;
    return named.isEmpty() ? QString::fromUtf8(m_store.value(QStringLiteral("baseCommit"))) : named;
}

QString ChangesJob::turnFile() const
{
    return m_context.contentDirectory() + QStringLiteral("/turn/index");
}

TurnMark ChangesJob::turnMark() const
{
    const QList<QByteArray> parts = m_store.value(QStringLiteral("turnMark")).split(' ');
    if (parts.size() != 2)
        return {};
    return {turnFile(), parts.at(0).toLongLong(), parts.at(1).toLongLong()};
}

void ChangesJob::turnStarts(Transaction &tx)
{
    const Millis startedAt = QDateTime::currentMSecsSinceEpoch();
    tx.afterCommit([this, startedAt] {
        ++m_turns;
        m_lane.enter(GitLane::Urgency::Asked, [this, startedAt](const GitLane::Release &release) -> GitJob * {
            const auto task = m_store.task();
            if (!task || !task->workTree) {
                release();
                return nullptr;
            }
            QDir folder(m_context.contentDirectory() + QStringLiteral("/turn"));
            folder.mkpath(QStringLiteral("."));
            for (const QString &left : folder.entryList({QStringLiteral("foundry-index-*")}, QDir::Dirs))
                QDir(folder.filePath(left)).removeRecursively(); // of a run that was killed
            return recordWorkTree(m_git, *task->workTree, turnFile(), m_context.owner(), [this, startedAt, release](const Result<Unit> &recorded) {
                if (!release())
                    return;
                // Without a record the one before stands: too much counts as new then, never too little.
                if (!recorded) {
                    qCWarning(lcChanges, "the work tree was not noted: %ls", qUtf16Printable(recorded.error().message));
                    return;
                }
                const auto kept = m_context.transaction([&](Transaction &after) -> Result<> {
                    m_store.setValue(after, QStringLiteral("turnMark"),
                        QByteArray::number(startedAt) + ' ' + QByteArray::number(QDateTime::currentMSecsSinceEpoch()));
                    return Unit{};
                });
                if (!kept)
                    qCWarning(lcChanges, "a turn was not marked: %ls", qUtf16Printable(kept.error().message));
                request(500);
            });
        });
    });
}

void ChangesJob::run()
{
    if (m_running || m_writing)
        return;
    m_running = true;
    m_again = false;
    m_lane.enter(GitLane::Urgency::Background, [this](const GitLane::Release &release) -> GitJob * {
        const auto task = m_store.task();
        if (!task || !task->workTree) {
            m_running = false;
            release();
            return nullptr;
        }
        ChangesRequest request;
        request.worktree = *task->workTree;
        request.base = base();
        request.turn = turnMark();
        m_runTime.start();
        m_runTurns = m_turns;
        m_slow->start(changesSlowMs);
        return computeChanges(m_git, request, m_context.owner(), [this, release](const Result<Changes> &changes) {
            m_slow->stop();
            if (release())
                finished(changes);
        });
    });
}

void ChangesJob::load()
{
    if (m_loaded)
        return;
    m_loaded = true;
    m_known.clear();
    for (const Entity &entity : m_context.rows(topic(), QStringLiteral("FileChange"))) {
        if (const auto *file = std::get_if<FileChange>(&entity))
            m_known.insert(file->id, *file);
    }
}

void ChangesJob::failed(const Error &error)
{
    m_writing = true;
    m_rows.write({}, [this, error](Transaction &tx) -> Result<> {
        tx.database().run("DELETE FROM diffs");
        ChangesHeader header = changesHeader(m_context);
        header.refreshing = false;
        header.at = QDateTime::currentMSecsSinceEpoch();
        header.error = error;
        tx.put(topic(), header);
        return Unit{};
    }, [this](const Result<> &) { conclude(); });
}

void ChangesJob::finished(const Result<Changes> &changes)
{
    m_running = false;
    if (m_runTurns != m_turns) // it saw a turn's first files and knows nothing of the turn: the next run does
        return request(0);
    if (!changes)
        return failed(changes.error());
    load();
    RowChanges rows;
    QHash<QString, FileChange> found;
    QSet<QString> paths;
    bool dirty = false;
    for (const FileChange &file : changes->files) {
        paths.insert(file.path);
        dirty = dirty || file.scope != ChangeScope::Committed;
        found.insert(file.id, file);
        const auto known = m_known.constFind(file.id);
        if (known == m_known.cend() || !(*known == file))
            rows.puts.append(file);
    }
    for (auto gone = m_known.keyBegin(); gone != m_known.keyEnd(); ++gone) {
        if (!found.contains(*gone))
            rows.removals.append(Removal{QStringLiteral("FileChange"), *gone});
    }
    ChangesHeader header = changes->header;
    header.id = QStringLiteral("changes");
    header.refreshing = false;
    header.at = QDateTime::currentMSecsSinceEpoch();
    if (changes->truncated)
        header.error = makeError(QLatin1StringView("git"), QLatin1StringView("truncated"),
            QStringLiteral("More files changed than are listed here (%1).").arg(changes->files.size()),
            QStringLiteral("Look at the rest in the work tree."));
    const QByteArray stat = QByteArray::number(qint64(paths.size())) + ' ' + QByteArray::number(changes->added) + ' '
        + QByteArray::number(changes->removed);
    m_writing = true;
    m_known = std::move(found);
    m_rows.write(std::move(rows), [this, header, stat, dirty](Transaction &tx) -> Result<> {
        tx.database().run("DELETE FROM diffs");
        tx.put(topic(), header);
        bool moved = m_store.value(QStringLiteral("diffStat")) != stat;
        if (moved)
            m_store.setValue(tx, QStringLiteral("diffStat"), stat);
        if (auto task = m_store.task()) {
            const TaskGit git{header.head, header.mergeBase, header.ahead, header.behind, dirty};
            moved = moved || !(task->git == git);
            task->git = git;
            tx.put(TaskStore::topic(), *task);
        }
        if (moved)
            m_events.changed(tx);
        return Unit{};
    }, [this](const Result<> &written) {
        if (!written) {
            m_loaded = false; // what is stored is another thing now than what is remembered
            qCWarning(lcChanges, "changes were not written: %ls", qUtf16Printable(written.error().message));
        }
        conclude();
    });
}

void ChangesJob::conclude()
{
    m_writing = false;
    m_rest.start();
    m_restMs = m_runTime.isValid() ? qBound(qint64(250), 2 * m_runTime.elapsed(), qint64(10000)) : 250;
    if (m_events.refreshed)
        m_events.refreshed();
    if (m_again)
        request(250);
}

std::optional<DiffStat> ChangesJob::stat() const
{
    const QList<QByteArray> parts = m_store.value(QStringLiteral("diffStat")).split(' ');
    if (parts.size() != 3)
        return std::nullopt;
    return DiffStat{parts.at(0).toLongLong(), parts.at(1).toLongLong(), parts.at(2).toLongLong()};
}

QString ChangesJob::keyOf(const GetDiff &asked)
{
    return asked.scope.text() + QLatin1Char('\n') + asked.path + QLatin1Char('\n') + asked.cursor.value_or(QString());
}

std::optional<QByteArray> ChangesJob::storedDiff(const GetDiff &asked) const
{
    const auto task = m_store.task();
    if (!task || !task->workTree) {
        DiffPage page;
        page.path = asked.path;
        page.error = makeError(QLatin1StringView("state"), QLatin1StringView("not_ready"),
            QStringLiteral("The work tree is not prepared yet."), QStringLiteral("Wait until the repository is prepared."));
        return protocol::encodeValue(page);
    }
    auto q = m_context.database().query("SELECT page FROM diffs WHERE key = ?", keyOf(asked));
    return q.next() ? std::optional<QByteArray>(q.bytes(0)) : std::nullopt;
}

Result<> ChangesJob::fetchDiff(const GetDiff &asked)
{
    const QString key = keyOf(asked);
    const bool under = m_fetching.contains(key);
    if (!under && m_fetching.size() >= changesMostFetches)
        return makeError(QLatin1StringView("actor"), QLatin1StringView("overloaded"),
            QStringLiteral("Too many differences are being read already."), QStringLiteral("Ask again in a moment."));
    m_fetching[key].append(asked.requestId);
    if (under)
        return Unit{};
    m_lane.enter(GitLane::Urgency::Asked, [this, asked](const GitLane::Release &release) {
        FileDiffRequest request;
        request.path = asked.path;
        request.scope = asked.scope.valueOr(ChangeScope::Unstaged);
        request.cursor = asked.cursor;
        request.worktree = m_store.task().value_or(Task{}).workTree.value_or(QString());
        request.mergeBase = changesHeader(m_context).mergeBase.value_or(QString());
        const auto row = m_context.row(topic(), QStringLiteral("FileChange"), asked.scope.text() + QLatin1Char(':') + asked.path);
        if (row) {
            if (const auto *file = std::get_if<FileChange>(&*row))
                request.oldPath = file->oldPath;
        }
        return fileDiff(m_git, request, m_context.owner(), [this, asked, release](const Result<DiffPage> &found) {
            if (!release())
                return;
            DiffPage page = found ? *found : DiffPage{};
            if (!found) {
                page.path = asked.path;
                page.error = found.error();
            }
            keepDiff(asked, protocol::encodeValue(page));
        });
    });
    return Unit{};
}

void ChangesJob::keepDiff(const GetDiff &asked, const QByteArray &page)
{
    auto kept = m_context.transaction([&](Transaction &tx) -> Result<> {
        auto count = tx.database().query("SELECT count(*) FROM diffs");
        if (count.next() && count.integer(0) >= changesMostDiffs)
            tx.database().run("DELETE FROM diffs");
        return tx.database().run("INSERT OR REPLACE INTO diffs (key, page) VALUES (?, ?)", keyOf(asked), page);
    });
    if (!kept)
        qCWarning(lcChanges, "a diff was not kept: %ls", qUtf16Printable(kept.error().message));
    for (const RequestId &id : m_fetching.take(keyOf(asked))) {
        TopicEvent event;
        event.topic = topic();
        event.ready = ReadyNotice{id, asked.path};
        m_context.notify(event);
    }
}

} // namespace foundry::backend
