#include "views/dashboard/firststart.h"

#include "models/agentlistmodel.h"
#include "models/repositorylistmodel.h"
#include "views/common/promptbox.h"
#include "views/dashboard/addrepositorysheet.h"
#include "views/dashboard/agentlist.h"
#include "views/dashboard/problemlist.h"
#include "views/dashboard/repositorychip.h"

#include <QBoxLayout>
#include <QDir>
#include <QLineEdit>

namespace foundry::views {

FirstStart::FirstStart(ThemeProvider *theme, RepositoryListModel *repositories, AgentListModel *agents, QWidget *parent)
    : QScrollArea(parent)
    , m_theme(theme)
    , m_repositories(repositories)
    , m_agents(agents)
    , m_address(new QLineEdit)
    , m_addressNote(new Label(theme, TextStyle::Small, &Colors::red))
    , m_added(new ChipStrip(theme, repositories, [repositories](int row) { return repositoryChip(repositories->at(row)); },
          tr("Repositories"), {}))
    , m_agentList(new AgentList(theme, agents))
    , m_prompt(new PromptBox(theme, tr("For example: make the tests in src/parser pass and explain what was wrong")))
    , m_promptNote(new Label(theme, TextStyle::Small, &Colors::textFaint))
    , m_start(new Button(theme, tr("Start task"), ButtonLook::Primary))
{
    setFrameShape(NoFrame);
    setWidgetResizable(true);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    viewport()->setAutoFillBackground(false);
    auto *page = new QWidget;
    page->setAutoFillBackground(false);
    auto *outer = new QHBoxLayout(page);
    outer->setContentsMargins(Space::l, Space::l, Space::l, Space::l);
    outer->addStretch(1);
    auto *middle = new QWidget;
    middle->setMaximumWidth(760);
    auto *column = new QVBoxLayout(middle);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(12);
    outer->addWidget(middle, 100);
    outer->addStretch(1);

    auto *title = new Label(theme, TextStyle::Title, &Colors::text, tr("Three steps to the first task"));
    column->addWidget(title);
    auto *lead = new Label(theme, TextStyle::Reading, &Colors::textMuted,
        tr("An agent works in its own work tree on its own branch. Your checkout stays as it is."));
    lead->setWordWrap(true);
    column->addWidget(lead);

    QVBoxLayout *body = nullptr;
    m_steps[0] = addStep(column, tr("Add a repository"), tr("A folder on this machine, or a clone URL."), &body);
    auto *line = new QHBoxLayout;
    line->setSpacing(Space::s);
    m_address->setPlaceholderText(tr("/home/me/project   or   https://host/owner/project.git"));
    m_address->setAccessibleName(tr("Folder or clone URL"));
    m_address->setMinimumWidth(120);
    line->addWidget(m_address, 1);
    auto *choose = new Button(theme, Icon::FolderOpen, tr("Choose folder…"));
    auto *add = new Button(theme, tr("Add"));
    line->addWidget(choose);
    line->addWidget(add);
    m_adding = {choose, add};
    body->addLayout(line);
    m_addressNote->setWordWrap(true);
    body->addWidget(m_addressNote);
    m_addressNote->hide();
    body->addWidget(m_added);
    body->addWidget(new ProblemList(theme, repositories, [repositories] { return repositoryProblems(*repositories, true); }));

    m_steps[1] = addStep(column, tr("Choose an agent"), tr("Agents found on this machine are used after you say so, once."), &body);
    body->addWidget(m_agentList);
    body->addWidget(new ProblemList(theme, agents, [agents] { return agentProblems(*agents); }));

    m_steps[2] = addStep(column, tr("Write a prompt"), tr("Say what should be done. You will see every step and answer its questions."), &body);
    m_prompt->setAccessibleName(tr("Prompt"));
    m_prompt->setFixedHeight(88);
    body->addWidget(m_prompt);
    auto *last = new QHBoxLayout;
    m_promptNote->setWordWrap(true);
    last->addWidget(m_promptNote, 1);
    m_start->setToolTip(tr("Start task  (Ctrl+Enter)"));
    last->addWidget(m_start);
    body->addLayout(last);
    column->addStretch(1);
    setWidget(page);

    connect(add, &QPushButton::clicked, this, &FirstStart::addTyped);
    connect(m_address, &QLineEdit::returnPressed, this, &FirstStart::addTyped);
    connect(m_address, &QLineEdit::textChanged, this, [this] { m_addressNote->setVisible(!m_blocked.isEmpty()); });
    connect(choose, &QPushButton::clicked, this, [this] {
        chooseFolder(this, QDir::homePath(), [this](const QString &folder) {
            m_address->setText(folder);
            addTyped();
        });
    });
    connect(m_added, &ChipStrip::chipActivated, this, &FirstStart::repositoryActivated);
    connect(m_agentList, &AgentList::wayOnRequested, this, &FirstStart::agentWayOnRequested);
    connect(m_agentList, &AgentList::chosenChanged, this, &FirstStart::updateSteps);
    connect(m_prompt, &QPlainTextEdit::textChanged, this, [this] {
        m_complaint.clear();
        updateSteps();
    });
    connect(m_prompt, &PromptBox::submitted, this, &FirstStart::start);
    connect(m_prompt, &PromptBox::tooLarge, this, [this](qint64 bytes) {
        m_complaint = PromptBox::tooLargeSentence(bytes);
        updateSteps();
    });
    connect(m_start, &QPushButton::clicked, this, &FirstStart::start);
    for (const auto signal : {&QAbstractItemModel::rowsInserted, &QAbstractItemModel::rowsRemoved})
        connect(repositories, signal, this, &FirstStart::updateSteps);
    connect(repositories, &QAbstractItemModel::modelReset, this, &FirstStart::updateSteps);
    connect(repositories, &QAbstractItemModel::dataChanged, this, &FirstStart::updateSteps);
    updateSteps();
}

FirstStart::Step FirstStart::addStep(QVBoxLayout *into, const QString &heading, const QString &sentence, QVBoxLayout **body)
{
    auto *card = new Surface(m_theme, &Colors::surface);
    card->setCard(&Colors::hairline);
    auto *row = new QHBoxLayout(card);
    row->setContentsMargins(Space::m, 12, Space::m, 12);
    row->setSpacing(12);
    auto *mark = new IconLabel(m_theme, Icon::Circle, &Colors::textFaint);
    row->addWidget(mark, 0, Qt::AlignTop);
    auto *column = new QVBoxLayout;
    column->setSpacing(Space::s);
    auto *words = new QVBoxLayout;
    words->setSpacing(2);
    auto *title = new Label(m_theme, TextStyle::ListSemiBold, &Colors::text, heading);
    words->addWidget(title);
    auto *lead = new Label(m_theme, TextStyle::Small, &Colors::textMuted, sentence);
    lead->setWordWrap(true);
    words->addWidget(lead);
    column->addLayout(words);
    row->addLayout(column, 1);
    into->addWidget(card);
    *body = column;
    return {mark, title, card};
}

void FirstStart::setBlocked(const QString &why)
{
    m_blocked = why;
    for (Button *button : std::as_const(m_adding)) {
        button->setEnabled(why.isEmpty());
        button->setToolTip(why);
    }
    m_addressNote->setColorToken(why.isEmpty() ? &Colors::red : &Colors::textFaint);
    m_addressNote->setText(why);
    m_addressNote->setVisible(!why.isEmpty());
}

void FirstStart::addTyped()
{
    if (!m_blocked.isEmpty())
        return;
    const auto parsed = parseRepositoryAddress(m_address->text());
    if (const auto *complaint = std::get_if<QString>(&parsed)) {
        m_addressNote->setText(*complaint);
        m_addressNote->show();
        m_address->setFocus();
        return;
    }
    m_address->clear();
    Q_EMIT addRepositoryRequested(std::get<AddRepositoryRequest>(parsed));
    m_prompt->setFocus();
}

RepoId FirstStart::chosenRepository() const
{
    RepoId usable;
    for (int row = 0; row < m_repositories->count(); ++row) {
        const Repository &repository = m_repositories->at(row);
        if (repository.state.is(RepositoryState::Ready))
            return repository.id;
        // A task can be asked for while its repository is still being cloned: it waits for it.
        if (!repository.state.is(RepositoryState::Error))
            usable = repository.id;
    }
    return usable;
}

void FirstStart::updateSteps()
{
    const bool done[3] = {!chosenRepository().isEmpty(), !m_agentList->chosen().isEmpty(),
        !m_prompt->document()->isEmpty()};
    for (int step = 0; step < 3; ++step)
        m_steps[step].mark->set(done[step] ? Icon::CircleCheck : Icon::Circle, done[step] ? &Colors::green : &Colors::textFaint);
    m_added->setVisible(m_repositories->count() > 0);
    m_start->setEnabled(done[0] && done[1] && done[2]);
    QString note = tr("The agent runs with your rights on this machine.");
    if (done[2] && !done[0])
        note = tr("Add a repository first.");
    else if (done[2] && !done[1])
        note = tr("Choose an agent first.");
    m_promptNote->setColorToken(m_complaint.isEmpty() ? &Colors::textFaint : &Colors::red);
    m_promptNote->setText(m_complaint.isEmpty() ? note : m_complaint);
    if (!m_complaint.isEmpty()) {
        widget()->layout()->activate(); // its place, with the longer text
        ensureWidgetVisible(m_promptNote, 0, Space::m);
    }
}

void FirstStart::start()
{
    const QString prompt = m_prompt->prompt();
    m_complaint = PromptBox::complaintAbout(prompt);
    updateSteps();
    if (!m_complaint.isEmpty() || !m_start->isEnabled())
        return;
    NewTaskRequest request{chosenRepository(), prompt};
    request.agent = m_agentList->chosen();
    m_prompt->clear();
    Q_EMIT newTaskRequested(request);
}

void FirstStart::focusNextStep()
{
    if (chosenRepository().isEmpty())
        m_address->setFocus();
    else
        m_prompt->setFocus();
}

} // namespace foundry::views
