"""The same bot written with python-telegram-bot; it keeps nothing."""

from __future__ import annotations

import asyncio
import os
import sys

import uvloop
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.ext import Application, CommandHandler, ContextTypes

from tests.benchmarks.peers import PATH, PLANS, SECRET, TOKEN, greeting


async def start(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
    if update.message is None or update.effective_user is None:
        return
    rows = [[InlineKeyboardButton(text, callback_data=data)] for text, data in PLANS]
    name = update.effective_user.first_name
    await update.message.reply_text(greeting(name), reply_markup=InlineKeyboardMarkup(rows))


def main() -> None:
    far_end = os.environ["FAR_END"]
    application = (
        Application.builder()
        .token(TOKEN)
        .base_url(f"{far_end}/bot")
        .concurrent_updates(256)
        .connection_pool_size(256)
        .pool_timeout(60)
        .build()
    )
    application.add_handler(CommandHandler("start", start))
    asyncio.set_event_loop(uvloop.new_event_loop())
    application.run_webhook(
        listen="127.0.0.1",
        port=int(sys.argv[1]),
        url_path=PATH.lstrip("/"),
        webhook_url=f"https://bench.example{PATH}",
        secret_token=SECRET,
    )


if __name__ == "__main__":
    main()
