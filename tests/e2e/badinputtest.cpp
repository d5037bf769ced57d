#include "tests/e2e/badinputtest.h"

QAbstractButton *BadInputTest::button(const QString &text)
{
    QWidget *front = touruser::find<QDialog>(&window());
    for (QAbstractButton *candidate : (front ? front : &window())->findChildren<QAbstractButton *>()) {
        if (candidate->isVisible() && candidate->text() == text)
            return candidate;
    }
    return nullptr;
}

bool BadInputTest::click(const QString &text)
{
    QAbstractButton *found = button(text);
    if (!found || !found->isEnabled())
        return false;
    QTest::mouseClick(found, Qt::LeftButton);
    return true;
}

const Repository *BadInputTest::repositoryAt(const QString &path)
{
    for (int row = 0; row < workspace().repositories().count(); ++row) {
        const Repository &repository = workspace().repositories().at(row);
        if (repository.origin == path)
            return &repository;
    }
    return nullptr;
}

RepoId BadInputTest::added(const QString &path)
{
    if (!repositoryAt(path)) {
        views::AddRepositoryRequest request;
        request.path = path;
        Q_EMIT window().addRepositoryRequested(request);
    }
    const bool ready = QTest::qWaitFor(
        [&] {
            const Repository *row = repositoryAt(path);
            return row && row->state.is(RepositoryState::Ready);
        },
        badWait);
    return ready ? repositoryAt(path)->id : RepoId();
}

bool BadInputTest::removed(const RepoId &repository)
{
    Q_EMIT window().removeRepositoryRequested(repository);
    return QTest::qWaitFor([&] { return !workspace().repositories().find(repository); }, badWait);
}

// Behaves well until its file says another mode.
AgentId BadInputTest::addAgent(const QString &id)
{
    setAgentMode(id, "ok");
    m_git.write(m_git.root(), QStringLiteral("agents/") + id,
        "#!/bin/sh\nexec " + qgetenv("SCRIPTED_AGENT") + " $(cat " + m_git.path(QStringLiteral("modes/") + id).toUtf8() + ")\n", true);
    AddCustomAgent add;
    add.agentId.value = id;
    add.name = QStringLiteral("Scripted agent");
    add.command = m_git.path(QStringLiteral("agents/") + id);
    m_application->link().client().organization().addCustomAgent(add, this, [](const Result<> &answer) {
        if (!answer)
            qWarning("%ls", qUtf16Printable(answer.error().message));
    });
    return add.agentId;
}

views::NewTaskSheet *BadInputTest::openSheet(const AgentId &agent)
{
    window().openNewTask(added(m_repository));
    auto *choice = find<QComboBox>(QStringLiteral("Agent"));
    const int index = choice ? choice->findData(agent.value) : -1;
    if (index < 0)
        return nullptr;
    choice->setCurrentIndex(index);
    find<QLineEdit>(QStringLiteral("Base branch"))->clear(); // it remembers the last one
    return touruser::find<views::NewTaskSheet>(&window());
}

TaskId BadInputTest::start(const AgentId &agent, const QString &prompt)
{
    views::NewTaskSheet *sheet = openSheet(agent);
    if (!sheet) {
        qWarning("the sheet does not offer %ls", qUtf16Printable(agent.value));
        return {};
    }
    sheet->setPrompt(prompt);
    QTest::keyClick(find<views::PromptBox>(), Qt::Key_Return, Qt::ControlModifier);
    return page()->taskId();
}

bool BadInputTest::sessionIs(SessionStatus status)
{
    OpenTask *task = m_application->openTask(page()->taskId());
    return task && task->sessions().count() > 0 && task->sessions().at(0).status == status;
}

bool BadInputTest::reads(const QStringList &words)
{
    const QStringList all = spoken(&window());
    const QString text = all.join(QLatin1Char('\n'));
    for (const QString &word : words) {
        if (!text.contains(word, Qt::CaseInsensitive)) {
            m_missed = QStringLiteral("“%1” is not among:\n%2").arg(word, text.left(6000));
            return false;
        }
    }
    const QString cut = cutOff(&window(), words);
    if (!cut.isEmpty()) {
        m_missed = QStringLiteral("cut off: ") + cut;
        return false;
    }
    m_missed.clear();
    return true;
}

void BadInputTest::shoot(const QString &name)
{
    QString folder = qEnvironmentVariable("FOUNDRY_SHOTS");
    if (folder.isEmpty())
        folder = QStringLiteral(FOUNDRY_BIN_DIR "/../shots");
    QDir().mkpath(folder);
    QTest::qWait(20); // what was changed is painted
    QPixmap picture = window().grab();
    if (QDialog *sheet = touruser::find<QDialog>(&window())) {
        QPainter painter(&picture);
        painter.fillRect(picture.rect(), QColor(0, 0, 0, 60));
        const QPixmap front = sheet->grab();
        painter.drawPixmap((picture.width() - front.width()) / 2, (picture.height() - front.height()) / 2, front);
    }
    picture.save(folder + QStringLiteral("/badinput-") + name + QStringLiteral(".png"));
}
