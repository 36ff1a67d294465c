"""Addresses of people: signing in and out, tokens of programs that act for them, and the admin's pages of people."""

from __future__ import annotations

from django.urls import path

from agents import people_views, token_views, views

app_name = "agents"
urlpatterns = [
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("password/<str:token>/", people_views.choose_password, name="choose-password"),
    path("settings/people/", people_views.people, name="people"),
    path("settings/people/new/", people_views.add, name="add-person"),
    path("settings/people/<id:person_id>/", people_views.person, name="person"),
    path("settings/people/<id:person_id>/activate/", people_views.activate, name="activate"),
    path("settings/people/<id:person_id>/link/new/", people_views.new_link, name="new-link"),
    path("settings/people/<id:person_id>/link/", people_views.password_link, name="password-link"),
    path("settings/tokens/", token_views.mine, name="tokens"),
    path("settings/tokens/<id:token_id>/revoke/", token_views.revoke, name="revoke-token"),
]
