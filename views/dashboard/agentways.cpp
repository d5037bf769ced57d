#include "views/dashboard/agentways.h"

#include "views/common/statelook.h"

#include <QBoxLayout>
#include <QCoreApplication>
#include <QLocale>
#include <QMenu>

namespace foundry::views {

namespace {

QString agentText(const char *text)
{
    return QCoreApplication::translate("Agent", text);
}

// A menu does not wrap.
QStringList agentMenuLines(const QString &text)
{
    QStringList lines;
    for (const QString &word : text.split(QLatin1Char(' '), Qt::SkipEmptyParts)) {
        if (lines.isEmpty() || lines.last().size() + word.size() >= 72)
            lines.append(word);
        else
            lines.last() += QLatin1Char(' ') + word;
    }
    return lines;
}

} // namespace

QString agentSentence(const Agent &agent)
{
    const QString detail = agent.detail.value_or(QString());
    QStringList sentences;
    if (agent.source.is(AgentSource::Builtin))
        sentences.append(agentText(QT_TRANSLATE_NOOP("Agent",
            "Built in. It has no AI model: it runs the commands you write, such as /run, /test, /find and /replace.")));
    else if (!detail.isEmpty())
        sentences.append(detail);
    if (agent.needsNode)
        sentences.append(agentText(QT_TRANSLATE_NOOP("Agent", "It needs Node.js %1 or newer.")).arg(*agent.needsNode));
    if (agent.install)
        sentences.append(agentText(QT_TRANSLATE_NOOP("Agent", "%1 %2 can be installed into the workbench's own folder (%3)."))
                             .arg(agent.install->package, agent.install->version,
                                 QLocale().formattedDataSize(agent.install->bytes, 0)));
    return sentences.join(QLatin1Char(' '));
}

QString agentNote(const Agent &agent)
{
    if (!agent.state.is(AgentState::NotInstalled) || !agent.install)
        return agentSentence(agent);
    Agent plain = agent;
    plain.detail.reset();
    return agentSentence(plain);
}

QMenu *makeAgentMenu(const Agent &agent, const AgentWays &ways, QWidget *parent)
{
    auto *menu = new QMenu(parent);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    const AgentId id = agent.id;
    menu->addAction(QStringLiteral("%1: %2").arg(agent.name, lookOf(agent.state).word))->setEnabled(false);
    if (!agent.state.is(AgentState::Ready)) { // why, and what to do
        for (const QString &line : agentMenuLines(agentSentence(agent)))
            menu->addAction(line)->setEnabled(false);
    }
    menu->addSeparator();
    const AgentState state = agent.state.valueOr(AgentState::Broken);
    if (state == AgentState::Ready && ways.use)
        menu->addAction(agentText(QT_TRANSLATE_NOOP("Agent", "New task with it…")), parent, [ways, id] { ways.use(id); });
    if (state == AgentState::Unconfirmed)
        menu->addAction(agentText(QT_TRANSLATE_NOOP("Agent", "Use it…")), parent, [ways, id] { ways.confirm(id); });
    if (agent.install && (state == AgentState::AdapterMissing || state == AgentState::NotInstalled)) {
        menu->addAction(agentText(QT_TRANSLATE_NOOP("Agent", "Install, %1"))
                            .arg(QLocale().formattedDataSize(agent.install->bytes, 0)),
            parent, [ways, id] { ways.install(id); });
    }
    if (state != AgentState::Ready)
        menu->addAction(agentText(QT_TRANSLATE_NOOP("Agent", "Look again")), parent, [ways] { ways.refresh(); });
    return menu;
}

ConfirmAgentSheet::ConfirmAgentSheet(ThemeProvider *theme, const Agent &agent, QWidget *parent)
    : Sheet(theme, tr("Use %1?").arg(agent.name), 480, parent)
{
    const auto paragraph = [&](const QString &text, ColorToken color) {
        auto *label = new Label(theme, TextStyle::List, color, text);
        label->setWordWrap(true);
        content()->addWidget(label);
    };
    if (agent.detail)
        paragraph(tr("Found on this machine: %1").arg(*agent.detail), &Colors::text);
    paragraph(tr("It is a program of its own. While it works it may send your prompts and parts of your code to the models "
                 "that its maker hosts, and it runs with your rights. The workbench never starts it unasked."),
        &Colors::textMuted);
    auto *later = new Button(theme, tr("Not now"));
    auto *use = new Button(theme, tr("Use %1").arg(agent.name), ButtonLook::Primary);
    addButton(later);
    addButton(use);
    use->setDefault(true);
    connect(later, &QPushButton::clicked, this, &QDialog::reject);
    connect(use, &QPushButton::clicked, this, [this, id = agent.id] {
        accept();
        Q_EMIT confirmed(id);
    });
    use->setFocus();
}

} // namespace foundry::views
