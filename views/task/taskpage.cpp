#include "views/task/taskpage.h"

#include "models/queuedpromptmodel.h"
#include "models/sessionlistmodel.h"
#include "models/stagelistmodel.h"
#include "models/changesmodel.h"
#include "models/transcriptmodel.h"
#include "views/common/asoflabel.h"
#include "views/common/codehighlighter.h"
#include "views/common/controls.h"
#include "views/composer/composer.h"
#include "views/composer/promptedit.h"
#include "views/diff/changespanel.h"
#include "views/diff/diffview.h"
#include "views/session/sessiontabs.h"
#include "views/task/errorstrip.h"
#include "views/task/stagetimeline.h"
#include "views/task/taskheader.h"
#include "views/task/texttab.h"
#include "views/transcript/transcriptview.h"

#include <QBoxLayout>
#include <QKeyEvent>
#include <QSplitter>
#include <QStackedWidget>

namespace foundry::views {

namespace {

constexpr int pageOutset = 16; // cards stand out of the column, so that their text lines up with the transcript's

// Keeps a column of at most `widest` in the middle.
QWidget *centred(QWidget *parent, int widest, const QList<QWidget *> &parts)
{
    auto *holder = new QWidget(parent);
    auto *row = new QHBoxLayout(holder);
    row->setContentsMargins(20, 0, 20, 0);
    row->setSpacing(0);
    auto *column = new QVBoxLayout;
    column->setSpacing(0);
    for (QWidget *part : parts) {
        part->setMaximumWidth(widest);
        column->addWidget(part);
    }
    row->addStretch(1);
    row->addLayout(column, 1000);
    row->addStretch(1);
    return holder;
}

} // namespace

TaskPage::TaskPage(ThemeProvider *theme, CodeHighlighter *highlighter, ChangesPanel *changes, QWidget *parent)
    : QWidget(parent)
    , m_theme(theme)
    , m_highlighter(highlighter)
    , m_changes(changes)
{
    if (highlighter) {
        // Before the parts hear of a change, so that they ask for the right colours.
        const auto follow = [this] { m_highlighter->setDark(m_theme->theme().isDark()); };
        connect(theme, &ThemeProvider::changed, this, follow);
        follow();
    }
    buildLayout();
    connectParts();
    connectConversation();
    updateSession();
}

TaskPage::~TaskPage() = default;

void TaskPage::buildLayout()
{
    auto *page = new QVBoxLayout(this);
    page->setContentsMargins(0, 0, 0, 0);
    page->setSpacing(0);
    m_header = new TaskHeader(m_theme, this);
    page->addWidget(m_header);
    page->addWidget(new Hairline(m_theme, Qt::Horizontal, this));

    m_splitter = new QSplitter(Qt::Horizontal, this);
    m_splitter->setChildrenCollapsible(false);
    m_splitter->setHandleWidth(1);
    page->addWidget(m_splitter, 1);

    auto *main = new QWidget(m_splitter);
    auto *column = new QVBoxLayout(main);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    m_tabs = new SessionTabs(m_theme, main);
    auto *tabs = new QHBoxLayout;
    tabs->setContentsMargins(0, 0, 16, 0);
    tabs->addWidget(m_tabs, 1);
    m_asOf = new AsOfLabel(m_theme, main);
    tabs->addWidget(m_asOf);
    column->addLayout(tabs);
    column->addWidget(new Hairline(m_theme, Qt::Horizontal, main));
    m_stack = new QStackedWidget(main);
    column->addWidget(m_stack, 1);

    m_conversation = new QWidget(m_stack);
    const int widest = TranscriptView::widestColumn(*m_theme) + 2 * pageOutset;
    auto *talk = new QVBoxLayout(m_conversation);
    talk->setContentsMargins(0, 0, 0, 16);
    talk->setSpacing(0);
    m_stages = new StageTimeline(m_theme, m_conversation);
    talk->addWidget(centred(m_conversation, widest, {m_stages}));
    m_stages->hide();
    m_transcript = new TranscriptView(m_theme, m_highlighter, m_conversation);
    talk->addWidget(m_transcript, 1);
    m_error = new ErrorStrip(m_theme, m_conversation);
    m_composer = new Composer(m_theme, m_conversation);
    talk->addWidget(centred(m_conversation, widest, {m_error, m_composer}));
    m_stack->addWidget(m_conversation);
    m_splitter->addWidget(main);

    m_side = new Surface(m_theme, &Colors::window, m_splitter);
    auto *side = new QVBoxLayout(m_side);
    side->setContentsMargins(0, 0, 0, 0);
    if (!m_changes)
        m_changes = new ChangesPanel(m_theme, m_side);
    m_side->setMinimumWidth(220);
    side->addWidget(m_changes);
    m_splitter->addWidget(m_side);
    m_splitter->setStretchFactor(0, 1);
    m_splitter->setStretchFactor(1, 0);
    m_splitter->setSizes({900, 320});
    m_header->setChangesShown(true);
}

void TaskPage::setTask(const TaskPageModels &models)
{
    const bool other = models.taskId != m_models.taskId;
    if (other) {
        if (!m_models.taskId.isEmpty() && !m_session.isEmpty())
            m_lastSession.insert(m_models.taskId, m_session);
        clearDocuments();
        m_error->clearAll();
        m_transcript->setTranscript({}, nullptr);
        m_transcript->setWorkTree({});
        m_session = {};
        m_wanted = {};
        m_summary = {};
    }
    if (m_models.sessions)
        m_models.sessions->disconnect(this);
    disconnect(m_changesWatch);
    m_models = models;
    if (other)
        m_wanted = m_lastSession.value(models.taskId);
    watchSessions();
    watchChanges();
    m_stages->setStages(models.stages);
    m_changes->setChanges(models.changes);
    m_composer->setQueue(models.queue);
    m_tabs->setSessions(models.sessions);
    chooseSession();
    updateSession();
    updateAsOf();
    if (other)
        Q_EMIT taskChanged();
}

void TaskPage::watchSessions()
{
    SessionListModel *sessions = m_models.sessions;
    if (!sessions)
        return;
    // A model that goes away is let go of, whoever forgot to say so.
    const auto gone = [this] { setTask({}); };
    connect(sessions, &QObject::destroyed, this, gone);
    const auto rows = [this] {
        chooseSession();
        updateSession();
    };
    connect(sessions, &QAbstractItemModel::rowsInserted, this, rows, Qt::QueuedConnection);
    connect(sessions, &QAbstractItemModel::rowsRemoved, this, rows, Qt::QueuedConnection);
    connect(sessions, &QAbstractItemModel::modelReset, this, rows, Qt::QueuedConnection);
    connect(sessions, &QAbstractItemModel::dataChanged, this, &TaskPage::updateSession);
    connect(sessions, &ListModelBase::readyChanged, this, &TaskPage::updateSession);
}

// A diff that is open is read anew when its file changed.
void TaskPage::watchChanges()
{
    ChangesModel *changes = m_models.changes;
    if (!changes)
        return;
    m_changesWatch = connect(changes, &QAbstractItemModel::dataChanged, this, [this, changes](const QModelIndex &from, const QModelIndex &to) {
        for (QWidget *document : std::as_const(m_documents)) {
            auto *diff = qobject_cast<DiffView *>(document);
            for (int row = from.row(); diff && row <= to.row(); ++row) {
                if (changes->at(row).path == diff->path() && changes->at(row).scope.is(diff->scope()))
                    diff->load(diff->path(), diff->scope());
            }
        }
    });
}

const Session *TaskPage::session() const
{
    return m_models.sessions ? m_models.sessions->find(m_session) : nullptr;
}

void TaskPage::chooseSession()
{
    if (!m_wanted.isEmpty() && m_tabs->hasSession(m_wanted)) {
        const SessionId wanted = std::exchange(m_wanted, SessionId());
        m_tabs->setCurrentSession(wanted);
        sessionChosen(wanted);
    } else if (m_session.isEmpty() || !m_tabs->hasSession(m_session)) {
        const SessionId current = m_tabs->currentSession();
        sessionChosen(current.isEmpty() ? m_tabs->firstSession() : current);
    }
}

void TaskPage::activateSession(const SessionId &session)
{
    m_wanted = session;
    chooseSession();
}

void TaskPage::sessionChosen(const SessionId &session)
{
    if (!m_tabs->currentSession().isEmpty())
        m_stack->setCurrentWidget(m_conversation);
    if (session == m_session)
        return;
    m_session = session;
    m_error->clear(QStringLiteral("session"));
    m_transcript->setTranscript(session, nullptr);
    updateSession();
    if (!session.isEmpty()) {
        m_lastSession.insert(m_models.taskId, session);
        Q_EMIT sessionActivated(m_models.taskId, session);
    }
}

void TaskPage::setSummary(const TaskSummary &summary)
{
    if (summary.id != m_models.taskId)
        return;
    m_summary = summary;
    m_header->setSummary(summary);
    updateBlocked();
}

void TaskPage::setTaskDetails(const Task &task)
{
    if (task.id != m_models.taskId)
        return;
    m_transcript->setWorkTree(task.workTree.value_or(QString()));
    m_header->setToolTip(task.workTree ? tr("Work tree: %1").arg(*task.workTree) : QString());
}

void TaskPage::setAgents(const QList<Agent> &agents)
{
    m_agents = agents;
    m_tabs->setAgents(agents);
    updateSession();
}

void TaskPage::setConnected(bool connected)
{
    m_connected = connected;
    m_composer->setConnected(connected);
    m_stages->setConnected(connected);
    m_changes->setConnected(connected);
    m_error->setActionBlocked(connected ? QString() : tr("Possible when the host can be reached"));
    for (QWidget *document : std::as_const(m_documents)) {
        if (auto *diff = qobject_cast<DiffView *>(document))
            diff->setConnected(connected);
    }
    updateBlocked();
    updateEmptyText();
}

void TaskPage::setOutbox(const QList<OutboxItem> &items)
{
    m_composer->setOutbox(items);
}

// A document that is on screen has a time of its own.
void TaskPage::updateAsOf()
{
    if (m_stack->currentWidget() == m_conversation)
        m_asOf->setModels({m_models.sessions, m_transcript->transcript()});
    else
        m_asOf->setModels({});
}

void TaskPage::setTranscript(const SessionId &session, TranscriptModel *transcript)
{
    if (session == m_session)
        m_transcript->setTranscript(session, transcript);
    if (transcript)
        connect(transcript, &ListModelBase::readyChanged, this, &TaskPage::updateEmptyText, Qt::UniqueConnection);
    updateEmptyText();
    updateAsOf();
}

void TaskPage::revealEntry(qint64 entryIndex)
{
    m_stack->setCurrentWidget(m_conversation);
    m_transcript->revealEntry(entryIndex);
}

void TaskPage::updateSession()
{
    const Session *shown = session();
    m_composer->setSession(shown);
    m_stages->setSession(m_session, shown ? shown->agent : AgentId());
    m_header->setTurnStarted(shown && shown->status.is(SessionStatus::Running) ? shown->turnStartedAt : std::nullopt);
    if (shown) {
        for (const Agent &agent : std::as_const(m_agents)) {
            if (agent.id == shown->agent)
                m_composer->setAgent(agent);
        }
        // The stage that failed says it already, with more.
        if (shown->error && !m_stages->hasFailed()) {
            m_error->show(QStringLiteral("session"), *shown->error, shown->interrupted ? tr("Send again") : QString());
        } else if (shown->interrupted && !shown->status.is(SessionStatus::Running)) {
            m_error->showNotice(QStringLiteral("session"), tr("The last turn was cut off."),
                tr("The agent or the host stopped in the middle of it. What it had done is in the transcript."), tr("Send again"));
        } else {
            m_error->clear(QStringLiteral("session"));
        }
    }
    updateUnread();
    updateBlocked();
    updateEmptyText();
}

void TaskPage::updateUnread()
{
    for (int row = 0; m_models.sessions && row < m_models.sessions->count(); ++row) {
        const Session &one = m_models.sessions->at(row);
        const bool onScreen = one.id == m_session && isVisible();
        if (onScreen || !m_seenEntries.contains(one.id))
            m_seenEntries.insert(one.id, one.entryCount);
        m_tabs->setUnread(one.id, one.entryCount > m_seenEntries.value(one.id));
    }
}

void TaskPage::updateBlocked()
{
    QString reason;
    if (m_summary.status.is(TaskStatus::Archived) || m_summary.status.is(TaskStatus::Archiving))
        reason = tr("The task is archived");
    else if (m_summary.status.is(TaskStatus::Deleting))
        reason = tr("The task is being deleted");
    else if (!session() && m_models.sessions && !m_models.sessions->isReady())
        reason = m_connected ? tr("Reading the task…") : tr("This task is not on this computer yet");
    m_composer->setBlocked(reason);
}

void TaskPage::updateEmptyText()
{
    const Session *shown = session();
    if (m_stages->hasWork()) {
        m_transcript->setEmptyText(QStringLiteral(" "), m_stages->hasFailed() ? tr("Your prompt is kept, and sent when this is mended.") : QString());
    } else if (!shown && m_models.sessions && !m_models.sessions->isReady()) {
        if (m_connected)
            m_transcript->setEmptyText(tr("Reading the task…"), {});
        else
            m_transcript->setEmptyText(tr("Not on this computer yet"), tr("This task was not opened while the host was there. It is read as soon as it can be reached."));
    } else if (!shown) {
        m_transcript->setEmptyText(tr("No open session"), tr("Open one with + in the row of tabs."));
    } else if (m_transcript->transcript() && m_transcript->transcript()->isReady()) {
        m_transcript->setEmptyText(tr("Nothing said yet"), tr("Write below what should be done."));
    } else if (!m_connected) {
        m_transcript->setEmptyText(tr("Not on this computer yet"), tr("This session was not opened while the host was there. It is read as soon as it can be reached."));
    } else {
        m_transcript->setEmptyText({}, {});
    }
}

void TaskPage::setDraft(const SessionId &session, const Draft &draft)
{
    m_composer->setDraft(session, draft.text);
}

void TaskPage::restorePrompt(const SessionId &session, const QString &text)
{
    m_composer->restore(session, text);
}

void TaskPage::showError(const Error &error)
{
    m_error->show(QStringLiteral("command"), error);
}

void TaskPage::flushDraft()
{
    m_composer->flushDraft();
}

void TaskPage::focusComposer()
{
    m_tabs->setCurrentSession(m_session);
    m_stack->setCurrentWidget(m_conversation);
    m_composer->edit()->setFocus(Qt::ShortcutFocusReason);
}

void TaskPage::setChangesVisible(bool visible)
{
    m_side->setVisible(visible);
    m_header->setChangesShown(visible);
}

bool TaskPage::changesVisible() const
{
    return !m_side->isHidden();
}

void TaskPage::clearDocuments()
{
    const QStringList open = m_documents.keys();
    for (const QString &document : open) {
        m_tabs->closeDocument(document);
        closeDocument(document);
    }
    m_stack->setCurrentWidget(m_conversation);
}

// Escape anywhere on the page, where nothing else took it, goes back to the prompt.
void TaskPage::keyPressEvent(QKeyEvent *event)
{
    if (event->key() == Qt::Key_Escape)
        focusComposer();
    else
        QWidget::keyPressEvent(event);
}

} // namespace foundry::views
