#include "views/task/newtasksheet.h"

#include "models/agentlistmodel.h"
#include "models/repositorylistmodel.h"
#include "views/common/promptbox.h"
#include "views/common/statelook.h"
#include "views/common/uistate.h"

#include <QBoxLayout>
#include <QComboBox>
#include <QLineEdit>

namespace foundry::views {

namespace {

const QLatin1StringView newTaskRepositoryKey("newtask/repository");
const QLatin1StringView newTaskAgentKey("newtask/agent");
const QLatin1StringView newTaskDraftKey("newtask/draft");
constexpr int newTaskDraftMost = 32 * 1024; // characters; settings are no place for more

QString newTaskBaseKey(const RepoId &id)
{
    return QStringLiteral("newtask/base/") + id.value;
}

QString newTaskModeKey(const AgentId &id)
{
    return QStringLiteral("newtask/mode/") + id.value;
}

} // namespace

NewTaskSheet::NewTaskSheet(ThemeProvider *theme, UiState *state, RepositoryListModel *repositories,
    AgentListModel *agents, const RepoId &preselect, QWidget *parent)
    : Sheet(theme, tr("New task"), 640, parent)
    , m_state(state)
    , m_repositories(repositories)
    , m_agents(agents)
    , m_prompt(new PromptBox(theme, tr("What should the agent do?")))
    , m_repository(new QComboBox)
    , m_base(new QLineEdit)
    , m_agent(new QComboBox)
    , m_mode(new QComboBox)
    , m_notesRow(new QWidget)
    , m_notes(new Label(theme, TextStyle::Small, &Colors::textMuted))
    , m_start(new Button(theme, tr("Start task"), ButtonLook::Primary))
{
    m_prompt->setAccessibleName(tr("Prompt"));
    m_prompt->setMinimumHeight(152);
    m_prompt->setPlainText(state->value(QString(newTaskDraftKey)).toString());
    content()->addWidget(m_prompt, 1);

    auto *choices = new QHBoxLayout;
    choices->setSpacing(Space::m);
    auto *left = new QVBoxLayout;
    auto *right = new QVBoxLayout;
    for (QVBoxLayout *column : {left, right}) {
        column->setSpacing(Space::m);
        choices->addLayout(column, 1);
    }
    addField(tr("Repository"), m_repository, left);
    addField(tr("Agent"), m_agent, right);
    addField(tr("Base branch"), m_base, left);
    addField(tr("Mode"), m_mode, right);
    content()->addLayout(choices);

    auto *notes = new QHBoxLayout(m_notesRow);
    notes->setContentsMargins(0, 0, 0, 0);
    notes->addWidget(new IconLabel(theme, Icon::Info, &Colors::textMuted), 0, Qt::AlignTop);
    m_notes->setWordWrap(true);
    notes->addWidget(m_notes, 1);
    content()->addWidget(m_notesRow);

    auto *cancel = new Button(theme, tr("Cancel"));
    m_start->setToolTip(tr("Start task  (Ctrl+Enter)"));
    addButton(cancel);
    addButton(m_start);

    connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_start, &QPushButton::clicked, this, &NewTaskSheet::submit);
    connect(m_prompt, &PromptBox::submitted, this, &NewTaskSheet::submit);
    connect(m_prompt, &PromptBox::tooLarge, this, [this](qint64 bytes) {
        m_complaint = PromptBox::tooLargeSentence(bytes);
        updateState();
    });
    connect(m_prompt, &QPlainTextEdit::textChanged, this, [this] {
        m_complaint.clear();
        updateState();
    });
    connect(m_repository, &QComboBox::activated, this, [this] {
        if (m_repository->currentData().toString().isEmpty())
            Q_EMIT addRepositoryWanted();
        repositoryChosen();
    });
    connect(m_agent, &QComboBox::activated, this, [this] {
        if (const Agent *chosen = agent(); chosen && chosen->state.is(AgentState::Unconfirmed))
            Q_EMIT confirmAgentWanted(chosen->id);
        fillModes();
        updateState();
    });
    const auto refillRepositories = [this] {
        const Repository *chosen = repository();
        fillRepositories(chosen ? chosen->id : RepoId());
    };
    for (const auto signal : {&QAbstractItemModel::rowsInserted, &QAbstractItemModel::rowsRemoved}) {
        connect(repositories, signal, this, refillRepositories);
        connect(agents, signal, this, &NewTaskSheet::fillAgents);
    }
    connect(repositories, &QAbstractItemModel::dataChanged, this, refillRepositories);
    connect(agents, &QAbstractItemModel::dataChanged, this, &NewTaskSheet::fillAgents);
    fillRepositories(preselect.isEmpty() ? RepoId(state->value(QString(newTaskRepositoryKey)).toString()) : preselect);
    fillAgents();
    m_prompt->moveCursor(QTextCursor::End);
    m_prompt->setFocus();
}

void NewTaskSheet::setPrompt(const QString &prompt)
{
    m_prompt->setPlainText(prompt);
}

const Repository *NewTaskSheet::repository() const
{
    return m_repositories->find(RepoId(m_repository->currentData().toString()));
}

const Agent *NewTaskSheet::agent() const
{
    return m_agents->find(AgentId(m_agent->currentData().toString()));
}

void NewTaskSheet::fillRepositories(const RepoId &wanted)
{
    m_repository->clear();
    for (int row = 0; row < m_repositories->count(); ++row) {
        const Repository &value = m_repositories->at(row);
        const StateLook look = lookOf(value);
        const bool ready = value.state.is(RepositoryState::Ready);
        m_repository->addItem(theme()->icons().icon(look.icon, theme()->colors().*look.color),
            ready ? value.name : tr("%1 (%2)").arg(value.name, look.word), value.id.value);
        m_repository->setItemData(row, value.origin, Qt::ToolTipRole);
    }
    if (m_repositories->count() > 0)
        m_repository->insertSeparator(m_repository->count());
    m_repository->addItem(theme()->icons().icon(Icon::FolderPlus, theme()->colors().textMuted), tr("Add repository…"));
    const int index = m_repository->findData(wanted.value);
    m_repository->setCurrentIndex(wanted.isEmpty() || index < 0 ? 0 : index);
    repositoryChosen();
}

void NewTaskSheet::repositoryChosen()
{
    const Repository *chosen = repository();
    m_base->setEnabled(chosen);
    m_base->setText(chosen ? m_state->value(newTaskBaseKey(chosen->id)).toString() : QString());
    m_base->setPlaceholderText(chosen && chosen->defaultBranch ? *chosen->defaultBranch : tr("default branch"));
    // What the host found out about it and people should know: uncommitted edits, a detached HEAD, no identity, …
    QString note = chosen && chosen->state.is(RepositoryState::Ready) ? chosen->progressText.value_or(QString()) : QString();
    if (chosen && chosen->dirty && note.isEmpty())
        note = tr("Your checkout has edits that are not committed. They stay where they are: the task begins at the "
                  "last commit of the base branch, in a work tree of its own.");
    m_notes->setText(note);
    m_notesRow->setVisible(!note.isEmpty());
    updateState();
}

void NewTaskSheet::fillAgents()
{
    const QString wanted = m_agent->count() > 0 ? m_agent->currentData().toString()
                                                : m_state->value(QString(newTaskAgentKey)).toString();
    m_agent->clear();
    for (int row = 0; row < m_agents->count(); ++row) {
        const Agent &value = m_agents->at(row);
        if (!value.state.is(AgentState::Ready) && !value.state.is(AgentState::Unconfirmed))
            continue;
        QString text = value.name; // the built-in one's name says that it has no AI model
        if (value.state.is(AgentState::Unconfirmed))
            text = tr("%1 (confirm first…)").arg(value.name);
        m_agent->addItem(theme()->icons().icon(agentIcon(value.id), theme()->colors().textMuted), text, value.id.value);
    }
    int index = m_agent->findData(wanted);
    for (int row = 0; index < 0 && row < m_agent->count(); ++row) {
        const Agent *value = m_agents->find(AgentId(m_agent->itemData(row).toString()));
        if (value && value->state.is(AgentState::Ready))
            index = row;
    }
    m_agent->setCurrentIndex(qMax(0, index));
    fillModes();
    updateState();
}

void NewTaskSheet::fillModes()
{
    m_mode->clear();
    m_mode->addItem(tr("Agent's default"), QString());
    const Agent *chosen = agent();
    if (chosen && chosen->lastOptions) {
        for (const AgentChoice &mode : chosen->lastOptions->modes) {
            m_mode->addItem(mode.name, mode.id);
            m_mode->setItemData(m_mode->count() - 1, mode.description, Qt::ToolTipRole);
        }
    }
    m_mode->setEnabled(m_mode->count() > 1);
    const int index = chosen ? m_mode->findData(m_state->value(newTaskModeKey(chosen->id)).toString()) : 0;
    m_mode->setCurrentIndex(qMax(0, index));
}

void NewTaskSheet::updateState()
{
    const Repository *chosen = repository();
    const Agent *by = agent();
    QString problem = m_complaint;
    if (problem.isEmpty() && !chosen)
        problem = tr("Add a repository first.");
    else if (problem.isEmpty() && chosen->state.is(RepositoryState::Error))
        problem = chosen->error ? (chosen->error->message + QLatin1Char(' ') + chosen->error->action).trimmed()
                                : tr("This repository cannot be used. Choose another, or add it again.");
    else if (problem.isEmpty() && by && by->state.is(AgentState::Unconfirmed))
        problem = tr("%1 was found on this machine and has not been confirmed yet.").arg(by->name);
    const bool blocked = !problem.isEmpty();
    m_start->setEnabled(!blocked && !m_prompt->document()->isEmpty());
    if (blocked)
        setNote(problem, chosen || !m_complaint.isEmpty() ? &Colors::red : &Colors::textMuted);
    else
        setNote(tr("Agents run with your rights on this machine. Each asks before it acts in its default mode."));
}

void NewTaskSheet::submit()
{
    const QString prompt = m_prompt->prompt();
    m_complaint = PromptBox::complaintAbout(prompt);
    updateState();
    const Repository *chosen = repository();
    if (!m_start->isEnabled() || !chosen || prompt.trimmed().isEmpty())
        return;
    NewTaskRequest request{chosen->id, prompt};
    if (const QString base = m_base->text().trimmed(); !base.isEmpty())
        request.baseBranch = base;
    m_state->setValue(newTaskBaseKey(chosen->id), m_base->text().trimmed());
    m_state->setValue(QString(newTaskRepositoryKey), chosen->id.value);
    if (const Agent *by = agent()) {
        request.agent = by->id;
        m_state->setValue(QString(newTaskAgentKey), by->id.value);
        if (const QString mode = m_mode->currentData().toString(); !mode.isEmpty())
            request.mode = mode;
        m_state->setValue(newTaskModeKey(by->id), m_mode->currentData().toString());
    }
    m_prompt->clear();
    accept();
    Q_EMIT requested(request);
}

void NewTaskSheet::done(int result)
{
    m_state->setValue(QString(newTaskDraftKey), m_prompt->prompt().left(newTaskDraftMost));
    Sheet::done(result);
}

} // namespace foundry::views
