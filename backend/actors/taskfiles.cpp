#include "backend/actors/taskfiles.h"

#include "backend/git/asidework.h"
#include "backend/git/gitpath.h"
#include "backend/git/refresolver.h"
#include "realtime/protocol/codec.h"
#include "realtime/protocol/messagelimits.h"

#include <QDateTime>
#include <QFile>
#include <QLoggingCategory>
#include <QSaveFile>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcTaskFiles, "foundry.actors.files")

namespace {

constexpr int filesLeaveMs = 10000;
constexpr qint64 filesMostFound = 1000;
constexpr qint64 filesPieceBytes = 262144;
constexpr qsizetype filesKeptBytes = 8 << 20;
constexpr qsizetype filesMostReading = 64;
constexpr qint64 filesPieceFreshMs = 10000; // of the work tree, when nothing says that it changed

Error filesNotReady()
{
    return makeError(QLatin1StringView("state"), QLatin1StringView("not_ready"), QStringLiteral("The work tree is not prepared yet."),
        QStringLiteral("Wait until the repository is prepared."));
}

} // namespace

TaskFiles::TaskFiles(ActorContext &context, TaskStore &store, GitEnvironment git, GitLane &lane, Events events)
    : m_context(context)
    , m_store(store)
    , m_git(std::move(git))
    , m_lane(lane)
    , m_events(std::move(events))
    , m_directories(context, store)
    , m_watcher(new WorkTreeWatcher(context.owner()))
    , m_leave(new QTimer(context.owner()))
{
    m_leave->setSingleShot(true);
    QObject::connect(m_leave, &QTimer::timeout, m_leave, [this] {
        if (!isWanted())
            m_watcher->stop();
    });
    QObject::connect(m_watcher, &WorkTreeWatcher::touched, m_watcher, [this](const QList<QByteArray> &folders) { touched(folders); });
    m_directories.watched = [this](const QByteArray &folder) { return m_watcher->isWatching(folder); };
}

bool TaskFiles::isWanted() const
{
    return m_context.subscriberCount(topic()) > 0 || m_context.subscriberCount(QStringLiteral("changes")) > 0 || m_events.turnRuns();
}

void TaskFiles::reconsider()
{
    const auto task = m_store.task();
    if (!task || !task->workTree)
        return;
    if (!isWanted()) {
        if (m_watcher->isWatching() && !m_leave->isActive())
            m_leave->start(filesLeaveMs);
        return;
    }
    m_leave->stop();
    // The list of names says which folders there are: it comes with the next look at the changes.
    if (!m_watcher->isWatching())
        m_events.touched(50);
}

void TaskFiles::touched(const QList<QByteArray> &folders)
{
    forgetPieces();
    m_directories.changed(folders);
    m_events.touched(400);
}

void TaskFiles::refreshed()
{
    forgetPieces();
    m_directories.changedSomewhere();
    if (m_searched || isWanted())
        refreshNames();
}

void TaskFiles::refreshNames()
{
    if (m_listing)
        return;
    m_listing = true;
    m_lane.enter(GitLane::Urgency::Background, [this](const GitLane::Release &release) -> GitJob * {
        const auto task = m_store.task();
        if (!task || !task->workTree) {
            m_listing = false;
            release();
            m_namesError = filesNotReady();
            gotNames(m_names);
            return nullptr;
        }
        return listFiles(m_git, *task->workTree, m_context.owner(), [this, release](const Result<FileNames> &found) {
            if (!release())
                return;
            if (!found) {
                m_listing = false;
                m_namesError = found.error();
                return gotNames(m_names);
            }
            // Sorting and keeping some 100,000 names is no work for the actor's own thread.
            using Names = std::shared_ptr<const FileSearch>;
            workAside<Names>(
                m_context.owner(),
                [names = *found, before = m_names, file = namesFile()]() -> Names {
                    auto made = std::make_shared<const FileSearch>(names.names, names.truncated);
                    if (before && before->names() == made->names())
                        return before;
                    // Kept for the next start only: whoever asks now gets them all the same.
                    const QByteArray packed = qCompress(made->names(), 1);
                    QSaveFile keep(file);
                    if (!keep.open(QIODevice::WriteOnly) || keep.write(packed) != packed.size() || !keep.commit())
                        qCWarning(lcTaskFiles, "the names of a task's files are not kept: %ls", qUtf16Printable(keep.errorString()));
                    return made;
                },
                [this](const Names &names) {
                    m_listing = false;
                    m_namesError.reset();
                    gotNames(names);
                });
        });
    });
}

void TaskFiles::loadNames()
{
    if (m_loading)
        return;
    m_loading = true;
    using Names = std::shared_ptr<const FileSearch>;
    workAside<Names>(
        m_context.owner(),
        [file = namesFile()]() -> Names {
            QFile kept(file);
            if (!kept.open(QIODevice::ReadOnly))
                return nullptr;
            const QByteArray names = qUncompress(kept.readAll());
            return names.isEmpty() ? nullptr : std::make_shared<const FileSearch>(names, false);
        },
        [this](const Names &names) {
            m_loading = false;
            if (!m_names && names)
                gotNames(names);
            refreshNames();
        });
}

void TaskFiles::gotNames(const std::shared_ptr<const FileSearch> &names)
{
    m_names = names;
    for (const RequestId &id : std::exchange(m_namesWaiting, {}))
        announce(id, {});
    watchFolders();
}

void TaskFiles::watchFolders()
{
    const auto task = m_store.task();
    if (!m_names || !task || !task->workTree || !isWanted())
        return;
    const bool first = !m_watcher->isWatching();
    // What happened in a folder before it was watched is seen by one more look; it ends when no folder is new.
    if (m_watcher->watch(*task->workTree, m_names->folders()) > 0 || first)
        m_events.touched(250);
}

QString TaskFiles::namesFile() const
{
    return m_context.contentDirectory() + QStringLiteral("/filenames");
}

Result<QByteArray> TaskFiles::findFiles(const FindFiles &asked)
{
    const auto task = m_store.task();
    if (!task || !task->workTree)
        return filesNotReady();
    if (asked.query.size() > 500)
        return makeError(QLatin1StringView("input"), QLatin1StringView("too_large"), QStringLiteral("What is looked for is too long."),
            QStringLiteral("Give a part of the name."), QStringLiteral("query"));
    const bool first = !std::exchange(m_searched, true);
    FilesFound found;
    if (!m_names) {
        if (m_namesError) {
            found.error = std::exchange(m_namesError, std::nullopt); // the next question tries again
            return protocol::encodeValue(found);
        }
        if (m_namesWaiting.size() >= 1000)
            return makeError(QLatin1StringView("actor"), QLatin1StringView("overloaded"),
                QStringLiteral("Too many questions wait for the list of files."), QStringLiteral("Ask again in a moment."));
        m_namesWaiting.append(asked.requestId);
        found.pending = true;
        loadNames();
        return protocol::encodeValue(found);
    }
    if (first)
        refreshNames();
    bool more = false;
    found.paths = m_names->find(asked.query, qBound(qint64(1), asked.limit, filesMostFound), &more);
    qsizetype bytes = 0;
    for (qsizetype n = 0; n < found.paths.size(); ++n) {
        bytes += protocol::jsonTextSize(found.paths.at(n)) + 3;
        if (bytes > protocol::hostPageLimit) {
            found.paths.resize(n);
            more = true;
        }
    }
    found.truncated = more || m_names->isTruncated();
    return protocol::encodeValue(found);
}

Result<QByteArray> TaskFiles::readFile(const ReadFile &asked)
{
    const auto task = m_store.task();
    if (!task || !task->workTree)
        return filesNotReady();
    const QByteArray path = pathToGit(asked.path);
    if (auto fits = checkWorkTreePath(path); !fits)
        return fits.error();
    if (path.isEmpty() || asked.offset < 0 || asked.limit < 1)
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("There is no such piece of a file."), {},
            path.isEmpty() ? QStringLiteral("path") : asked.offset < 0 ? QStringLiteral("offset") : QStringLiteral("limit"));
    ReadFile bounded = asked;
    bounded.limit = qMin(asked.limit, filesPieceBytes);
    const QByteArray key = path + '\0' + asked.ref.value_or(QString()).toUtf8() + '\0' + QByteArray::number(asked.offset) + ' '
        + QByteArray::number(bounded.limit);
    const bool lasting = asked.ref && isObjectId(*asked.ref);
    if (const auto kept = m_pieces.constFind(key); kept != m_pieces.cend()) {
        if (lasting || QDateTime::currentMSecsSinceEpoch() - kept->at < filesPieceFreshMs)
            return kept->page;
    }
    const bool under = m_reading.contains(key);
    if (!under && m_reading.size() >= filesMostReading)
        return makeError(QLatin1StringView("actor"), QLatin1StringView("overloaded"), QStringLiteral("Too many files are being read already."),
            QStringLiteral("Ask again in a moment."));
    m_reading[key].append(asked.requestId);
    if (!under)
        startReading(key, bounded);
    FilePage pending;
    pending.pending = true;
    pending.path = asked.path;
    return protocol::encodeValue(pending);
}

void TaskFiles::startReading(const QByteArray &key, const ReadFile &asked)
{
    const QString worktree = m_store.task().value_or(Task{}).workTree.value_or(QString());
    if (!asked.ref) {
        workAside<Result<FilePiece>>(
            m_context.owner(),
            [worktree, path = pathToGit(asked.path), offset = asked.offset, limit = asked.limit] { return readPiece(worktree, path, offset, limit); },
            [this, key, asked](const Result<FilePiece> &piece) { gotPiece(key, asked, piece); });
        return;
    }
    m_lane.enter(GitLane::Urgency::Asked, [this, key, asked, worktree](const GitLane::Release &release) {
        CommittedFileRequest request{worktree, asked.path, *asked.ref, asked.offset, asked.limit};
        if (*asked.ref == QLatin1StringView("index")) {
            request.revision.clear();
        } else if (*asked.ref == QLatin1StringView("base")) {
            request.revision = QStringLiteral("HEAD");
            const auto row = m_context.row(QStringLiteral("changes"), QStringLiteral("ChangesHeader"), QStringLiteral("changes"));
            if (const auto *header = row ? std::get_if<ChangesHeader>(&*row) : nullptr)
                request.revision = header->mergeBase.value_or(request.revision);
        }
        return readCommitted(m_git, request, m_context.owner(), [this, key, asked, release](const Result<FilePiece> &piece) {
            if (release())
                gotPiece(key, asked, piece);
        });
    });
}

void TaskFiles::gotPiece(const QByteArray &key, const ReadFile &asked, const Result<FilePiece> &piece)
{
    FilePage page;
    page.path = asked.path;
    page.offset = asked.offset;
    if (piece) {
        page.data = piece->data;
        page.size = piece->size;
        page.binary = piece->binary;
    } else {
        page.error = piece.error();
    }
    if (!m_pieces.contains(key))
        m_pieceOrder.append(key);
    else
        m_pieceBytes -= m_pieces.value(key).page.size();
    const QByteArray encoded = protocol::encodeValue(page);
    m_pieceBytes += encoded.size();
    m_pieces.insert(key, Kept{encoded, QDateTime::currentMSecsSinceEpoch()});
    while (m_pieceBytes > filesKeptBytes && m_pieceOrder.size() > 1)
        m_pieceBytes -= m_pieces.take(m_pieceOrder.takeFirst()).page.size();
    for (const RequestId &id : m_reading.take(key))
        announce(id, asked.path);
}

void TaskFiles::forgetPieces()
{
    m_pieces.clear();
    m_pieceOrder.clear();
    m_pieceBytes = 0;
}

void TaskFiles::announce(const RequestId &id, const QString &path)
{
    TopicEvent event;
    event.topic = topic();
    event.ready = ReadyNotice{id, path};
    m_context.notify(event);
}

} // namespace foundry::backend
